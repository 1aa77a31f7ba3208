// SPDX-License-Identifier: MIT
//
// An OCI layout on disk (OCI image-spec, image-layout.md): blobs under their digests and an
// index.json that names the images.
//
// Several writers may add to one layout at once: the steps of a build, and other processes. Each of
// them does its work under an exclusive lock on the layout's folder. A layout that does not exist
// has no folder to lock. It is built in a temporary folder beside its place and renamed, so it
// appears whole or not at all; a rename that finds the place taken fails, and then another writer
// was faster and the image is added to that one's layout.
//
// A layout that exists cannot be swapped like that without copying it. It is added to in an order
// that is safe at every point: blobs first (they are addressed by content, so an extra one harms
// nobody), then index.json, atomically, and last the blobs of a replaced image are removed. A
// writer that is killed leaves the layout as it was before or after, and the kernel takes its lock
// away.
//
// An empty folder becomes a layout in place: it may be the place where a volume is mounted, or
// somebody's current folder. It is a layout without images first.
#include <algorithm>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/error.h"
#include "common/file.h"
#include "common/folder_lock.h"
#include "imagegen/image.h"
#include "imagegen/layout_blobs.h"
#include "imagegen/layout_index.h"
#include "imagegen/manifest.h"

namespace whittle::imagegen {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestIndex = 16u << 20;  // bytes of an index.json that is added to
constexpr std::string_view kMarker = "oci-layout";
constexpr std::string_view kIndex = "index.json";

std::vector<const Blob*> blobs_of(const Image& image) {
  return {&image.layer, &image.config, &image.manifest};
}

Json read_object(const fs::path& path) {
  return parse_object(read_file(path, kLargestIndex).bytes, path.native());
}

Json read_index(const fs::path& path) {
  Json index = read_object(path);
  const auto manifests = index.find("manifests");
  if (manifests == index.end() || !manifests->is_array()) {
    throw Error(ErrorKind::malformed, path.native(), "has no list 'manifests'");
  }
  return index;
}

// Throws Error{io} where that cannot be seen.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().native());
  }
  if (error) throw io_error(folder.native(), "cannot list", error.value());
  return names;
}

// True for an empty folder, and for one in which a writer was killed at its first step.
bool is_unused(const fs::path& folder) {
  const std::vector<std::string> names = names_in(folder);
  return std::all_of(names.begin(), names.end(), [](std::string_view name) {
    const std::string_view temporary = name_of_temporary(name);
    return name == kMarker || temporary == kMarker || temporary == kIndex;
  });
}

void check_marker(const fs::path& folder) {
  const std::vector<std::string> names = names_in(folder);
  if (std::find(names.begin(), names.end(), kMarker) == names.end()) {
    throw Error(ErrorKind::refused, folder.native(),
                "is not empty and not an OCI layout; choose another folder");
  }
  if (!text_member(read_object(folder / kMarker), "imageLayoutVersion").starts_with("1.")) {
    throw Error(ErrorKind::refused, folder.native(),
                "is an OCI layout of a version other than 1; choose another folder");
  }
}

// False where the place is taken by now.
bool make_layout(const Image& image, const fs::path& folder) {
  TemporaryFolder temporary(folder);
  NewBlobs blobs(temporary.path(), blobs_of(image));
  write_file_atomic(temporary.path() / kMarker, as_bytes(kLayoutMarker));
  write_file_atomic(temporary.path() / kIndex, serialise(make_index(image)));
  blobs.keep();
  return temporary.commit();
}

// Makes an empty folder a layout without images, and an empty folder again if no image gets into
// it: because of an error or because a signal ends the process.
class EmptyLayout {
 public:
  explicit EmptyLayout(const fs::path& folder)
      : folder_(folder),
        on_signal_{RemovedOnSignal(folder / kMarker), RemovedOnSignal(folder / kIndex),
                   RemovedOnSignal(folder / "blobs")} {
    try {
      write_file_atomic(folder / kMarker, as_bytes(kLayoutMarker));
      const Json index = {
          {"schemaVersion", 2}, {"mediaType", kIndexType}, {"manifests", Json::array()}};
      write_file_atomic(folder / kIndex, serialise(index));
    } catch (...) {
      clear();
      throw;
    }
  }
  ~EmptyLayout() {
    if (!kept_) clear();
  }
  EmptyLayout(const EmptyLayout&) = delete;
  EmptyLayout& operator=(const EmptyLayout&) = delete;
  void keep() { kept_ = true; }

 private:
  void clear() noexcept {
    std::error_code ignored;
    for (const std::string_view name :
         {std::string_view("blobs/sha256"), std::string_view("blobs"), kIndex, kMarker}) {
      fs::remove(folder_ / name, ignored);  // a folder only if it is empty
    }
  }

  const fs::path& folder_;
  RemovedOnSignal on_signal_[3];
  bool kept_ = false;
};

// Under the lock.
std::vector<std::string> add_to_layout(const Image& image, const fs::path& folder) {
  check_marker(folder);
  remove_leftovers(folder);
  const fs::path index_path = folder / kIndex;
  const auto read = [&](const Json& descriptor) { return read_document(folder, descriptor); };
  LayoutChange change = add_to_index(read_index(index_path), image, read, folder.native());
  std::vector<const Blob*> blobs = blobs_of(image);
  if (change.platforms) blobs.push_back(&*change.platforms);
  NewBlobs added(folder, blobs);
  write_file_atomic(index_path, change.index);
  added.keep();
  for (std::string& note : remove_unreferenced(folder, change.replaced)) {
    change.notes.push_back(std::move(note));
  }
  return std::move(change.notes);
}

// "out/" and "out" are one folder, and a link stays one.
fs::path real_folder(const fs::path& where) {
  const fs::path folder = where.has_filename() ? where : where.parent_path();
  std::error_code error;
  const fs::path target = fs::canonical(folder, error);
  return error ? folder : target;
}

// Whether the folder is there. Throws Error{io} where no folder can be.
bool is_there(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (status.type() == fs::file_type::not_found) {
    if (fs::is_symlink(fs::symlink_status(folder, error))) {
      throw Error(ErrorKind::io, folder.native(),
                  "cannot write: is a symbolic link that leads nowhere; name the folder itself");
    }
    return false;
  }
  if (error) throw io_error(folder.native(), "cannot look at", error.value());
  if (status.type() != fs::file_type::directory) {
    throw Error(ErrorKind::io, folder.native(),
                "cannot write: is a file, but an OCI layout is a folder");
  }
  return true;
}

}  // namespace

void check_layout_place(const fs::path& where) {
  const fs::path folder = real_folder(where);
  if (is_there(folder) && !is_unused(folder)) check_marker(folder);
}

std::vector<std::string> write_layout(const Image& image, const fs::path& where) {
  constexpr int kAttempts = 100;
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    const fs::path folder = real_folder(where);
    if (!is_there(folder)) {
      if (make_layout(image, folder)) return {};
      continue;
    }
    const FolderLock lock(folder, FolderLock::Kind::exclusive);
    if (!lock.is_at(folder)) continue;
    std::optional<EmptyLayout> empty;
    if (is_unused(folder)) empty.emplace(folder);
    std::vector<std::string> notes = add_to_layout(image, folder);
    if (empty) empty->keep();
    return notes;
  }
  throw Error(ErrorKind::io, where.native(),
              "cannot write: the folder is removed and made again all the time");
}

}  // namespace whittle::imagegen
