// SPDX-License-Identifier: MIT
//
// An OCI layout on disk (OCI image-spec, image-layout.md): blobs under their digests and an
// index.json that names the images.
//
// A new layout is built in a folder beside its place and renamed, so it is there whole or not at
// all. An existing one cannot be swapped like that without copying it; it is added to in an order
// that is safe at every point: blobs first (they are addressed by content, so an extra one harms
// nobody), index.json last and atomically. A lock keeps two writers from losing one another's tag.
// Blobs of a replaced tag stay: another index may still lead to them; `umoci gc` sweeps them.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "common/digest.h"
#include "common/error.h"
#include "common/file.h"
#include "imagegen/image.h"
#include "imagegen/manifest.h"
#include "imagegen/reference.h"

namespace whittle::imagegen {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestIndex = 16u << 20;  // bytes of an index.json that is added to

void make_folders(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw io_error(path.native(), "cannot create the folder", error.value());
}

// Blobs that are there with the right bytes are left alone.
void write_blobs(const Image& image, const fs::path& folder) {
  make_folders(folder / "blobs" / "sha256");
  for (const Blob* blob : {&image.layer, &image.config, &image.manifest}) {
    const fs::path path = folder / blob_path(*blob);
    std::error_code error;
    const bool same_size = fs::file_size(path, error) == blob->bytes.size() && !error;
    if (same_size && read_file(path).bytes == blob->bytes) continue;
    write_file_atomic(path, blob->bytes);
  }
}

void write_text(const fs::path& path, std::string_view text) {
  write_file_atomic(path, as_bytes(text));
}

// An exclusive lock on a folder, for as long as it lives.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (descriptor_ < 0) throw io_error(folder.native(), "cannot open", errno);
    while (::flock(descriptor_, LOCK_EX) != 0) {
      if (errno == EINTR) continue;
      const int error = errno;
      ::close(descriptor_);
      throw io_error(folder.native(), "cannot lock", error);
    }
  }
  ~FolderLock() { ::close(descriptor_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

Json read_json(const fs::path& path) {
  const LoadedFile file = read_file(path, kLargestIndex);
  Json json = Json::parse(file.bytes, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object()) {
    throw Error(ErrorKind::malformed, path.native(), "is not a JSON object");
  }
  return json;
}

bool has_tag(const Json& descriptor, std::string_view tag) {
  if (!descriptor.is_object()) return false;
  const auto annotations = descriptor.find("annotations");
  if (annotations == descriptor.end() || !annotations->is_object()) return false;
  const auto name = annotations->find(kRefName);
  return name != annotations->end() && name->is_string() &&
         name->get_ref<const std::string&>() == tag;
}

void add_to_layout(const Image& image, const fs::path& folder) {
  const FolderLock lock(folder);
  const Json marker = read_json(folder / "oci-layout");
  const auto version = marker.find("imageLayoutVersion");
  if (version == marker.end() || !version->is_string() ||
      !version->get_ref<const std::string&>().starts_with("1.")) {
    throw Error(ErrorKind::refused, folder.native(),
                "is an OCI layout of a version other than 1; choose another folder");
  }
  const fs::path index_path = folder / "index.json";
  Json index = read_json(index_path);
  const auto manifests = index.find("manifests");
  if (manifests == index.end() || !manifests->is_array()) {
    throw Error(ErrorKind::malformed, index_path.native(), "has no list 'manifests'");
  }
  const std::string tag = parse_reference(image.reference).tag;
  Json kept = Json::array();
  for (Json& descriptor : *manifests) {
    if (!has_tag(descriptor, tag)) kept.push_back(std::move(descriptor));
  }
  kept.push_back(index_descriptor(image));
  *manifests = std::move(kept);
  write_blobs(image, folder);
  write_text(index_path, index.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void make_layout(const Image& image, const fs::path& folder) {
  TemporaryFolder temporary(folder);
  write_blobs(image, temporary.path());
  write_text(temporary.path() / "oci-layout", kLayoutMarker);
  write_text(temporary.path() / "index.json", make_index(image).dump());
  temporary.commit();
}

// "out/" and "out" are one folder, and a link stays one.
fs::path real_folder(const fs::path& where) {
  const fs::path folder = where.has_filename() ? where : where.parent_path();
  std::error_code error;
  const fs::path target = fs::canonical(folder, error);
  return error ? folder : target;
}

// Whether a layout is in the folder already; throws where neither that nor a new one can be.
bool holds_layout(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (status.type() == fs::file_type::not_found) return false;
  if (error) throw io_error(folder.native(), "cannot look at", error.value());
  if (status.type() != fs::file_type::directory) {
    throw Error(ErrorKind::io, folder.native(),
                "cannot write: is a file, but an OCI layout is a folder");
  }
  const bool empty = fs::is_empty(folder, error);
  if (error) throw io_error(folder.native(), "cannot list", error.value());
  if (empty) return false;
  if (!fs::exists(folder / "oci-layout", error)) {
    throw Error(ErrorKind::refused, folder.native(),
                "is not empty and not an OCI layout; choose another folder");
  }
  return true;
}

}  // namespace

void check_layout_place(const fs::path& folder) { holds_layout(real_folder(folder)); }

void write_layout(const Image& image, const fs::path& where) {
  const fs::path folder = real_folder(where);
  if (holds_layout(folder)) return add_to_layout(image, folder);
  make_layout(image, folder);
}

}  // namespace whittle::imagegen
