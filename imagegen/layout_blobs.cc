// SPDX-License-Identifier: MIT
//
// Which blobs may go when an image is replaced? Deleting one too many damages somebody's image;
// deleting one too few costs some space that `umoci gc` gets back. So the two sides of the question
// are answered differently.
//
// - What may be deleted is only what whittle understands to be part of a replaced image: image
//   indexes, manifests, and the config and layers that a manifest lists. Blobs that no image of
//   this name had are never touched: a layout may hold content that no index mentions
//   (image-layout.md), and another tool may be adding an image, whose blobs come before its index.
// - What must stay is everything that is mentioned in any way. From index.json on, each blob that
//   can be a document is searched for words that are the names of blobs. This finds descriptors of
//   every media type, known or not, `subject` of signatures and attestations (referrers), digests
//   in annotations and in tags such as "sha256-….sig", and so needs no list of formats.
//
// Where that is not certain (blobs in a folder that other layouts may share, digests of another
// algorithm, a document of absurd size), nothing is deleted and the user is told.
//
// A reader that read index.json before the change may miss a blob after it. It gets an error, never
// other content, and finds the new image when it tries again. Readers that hold a shared lock on
// the layout's folder (whittle's own do) are waited for.
#include "imagegen/layout_blobs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/digest.h"
#include "common/error.h"
#include "common/file.h"
#include "imagegen/layout_index.h"

namespace whittle::imagegen {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSha256 = "sha256:";
constexpr std::size_t kSha256Digits = 64;
constexpr int kDeepest = 100;                          // of arrays and objects in a document
constexpr std::uint64_t kLargestDocument = 4u << 20;   // bytes: what registries take
constexpr std::uint64_t kLargestSearched = 64u << 20;  // bytes of a document of unknown kind
constexpr int kDeepestIndex = 4;                       // of image indexes in one another
constexpr std::size_t kShortestName = 32;              // digits of the shortest digest in use

bool is_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool is_sha256_name(std::string_view text) {
  return text.size() == kSha256Digits && std::all_of(text.begin(), text.end(), is_digit);
}

// The name of the blob's file in blobs/sha256; none where the digest is not a SHA-256 digest.
std::optional<std::string> file_name_of(const Json& descriptor) {
  const std::string digest = text_member(descriptor, "digest");
  if (!digest.starts_with(kSha256)) return std::nullopt;
  std::string name = digest.substr(kSha256.size());
  return is_sha256_name(name) ? std::optional(std::move(name)) : std::nullopt;
}

fs::path blob_folder(const fs::path& layout) { return layout / "blobs" / "sha256"; }

bool is_folder_itself(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(fs::symlink_status(path, error));
}

// False where a link leads to a folder that other layouts may use as well, under other locks.
bool has_own_blobs(const fs::path& layout) {
  return is_folder_itself(layout / "blobs") && is_folder_itself(blob_folder(layout));
}

// The names of the blobs that make up an image.
class Parts {
 public:
  explicit Parts(const fs::path& layout) : layout_(layout) {}

  void add(const Json& descriptor, int depth = 0) {
    if (depth > kDeepestIndex) return;
    const bool is_index = is_index_type(descriptor);
    if (!is_index && !is_manifest_type(descriptor)) return;
    // Once each: indexes that list one another many times would never come to an end.
    if (!seen_.insert(text_member(descriptor, "digest")).second) return;
    try {
      const Json document = read_document(layout_, descriptor);
      add_name(descriptor);
      if (is_index) {
        for_each(document, "manifests", [&](const Json& child) { add(child, depth + 1); });
      } else {
        if (const auto config = document.find("config"); config != document.end()) {
          add_name(*config);
        }
        for_each(document, "layers", [&](const Json& layer) { add_name(layer); });
      }
    } catch (const Error&) {
      // Missing or not what it should be: then it is not known what belongs to it.
    }
  }

  std::set<std::string> take() { return std::move(names_); }

 private:
  template <typename Visit>
  static void for_each(const Json& document, const char* key, const Visit& visit) {
    const auto list = document.find(key);
    if (list == document.end() || !list->is_array()) return;
    for (const Json& one : *list) visit(one);
  }

  void add_name(const Json& descriptor) {
    if (auto name = file_name_of(descriptor)) names_.insert(std::move(*name));
  }

  const fs::path& layout_;
  std::set<std::string> names_, seen_;
};

// Why it is not certain which blobs are still needed.
class Uncertain : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Takes the names of blobs that the layout mentions off a list.
class Search {
 public:
  Search(const fs::path& layout, std::set<std::string>& unmentioned)
      : layout_(layout), unmentioned_(unmentioned) {
    list_blobs();
  }

  void run() {
    search(read(layout_ / "index.json"));
    while (!found_.empty() && !unmentioned_.empty()) {
      const fs::path blob = found_.back();
      found_.pop_back();
      search(read(blob));
    }
  }

 private:
  void list_blobs() {
    if (!has_own_blobs(layout_)) {
      throw Uncertain(
          fmt::format("{} is a link, so other layouts may use it", (layout_ / "blobs").native()));
    }
    for (const auto& algorithm : fs::directory_iterator(layout_ / "blobs")) {
      const std::string name = algorithm.path().filename().native();
      if ((name != "sha256" && name != "sha512") || !is_folder_itself(algorithm.path())) {
        throw Uncertain(fmt::format("{} is of an unknown kind", algorithm.path().native()));
      }
      for (const auto& blob : fs::directory_iterator(algorithm)) {
        unread_.emplace(blob.path().filename().native(), blob.path());
      }
    }
  }

  // Empty for what cannot be a document: more than a document has, and not JSON.
  static Bytes read(const fs::path& path) {
    const auto size = fs::file_size(path);
    if (size > kLargestDocument) {
      const OpenedFile file = open_file(path);
      char first = 0;
      const ssize_t n = ::pread(file.descriptor.get(), &first, 1, 0);
      if (n != 1) throw io_error(path.native(), "cannot read", errno);
      if (first != '{' && first != '[' && std::isspace(static_cast<unsigned char>(first)) == 0) {
        return {};
      }
      if (size > kLargestSearched) {
        throw Uncertain(fmt::format("{} is too large to be searched", path.native()));
      }
    }
    return read_file(path, kLargestSearched).bytes;
  }

  void search(const Bytes& bytes) {
    const std::string text = without_escapes(as_text(bytes));
    const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
    for (auto at = text.begin(); at != text.end();) {
      at = std::find_if(at, text.end(), is_word);
      const auto end = std::find_if_not(at, text.end(), is_word);
      if (static_cast<std::size_t>(end - at) >= kShortestName) found(std::string(at, end));
      at = end;
    }
  }

  // JSON may spell any character as "\u0061".
  static std::string without_escapes(std::string_view text) {
    constexpr std::string_view kEscape = "\\u00";
    std::string out;
    for (;;) {
      const std::size_t at = text.find(kEscape);
      out += text.substr(0, at);
      if (at == text.npos) return out;
      text.remove_prefix(at + kEscape.size());
      const std::string digits(text.substr(0, 2));
      if (digits.size() == 2 && std::isxdigit(static_cast<unsigned char>(digits[0])) != 0 &&
          std::isxdigit(static_cast<unsigned char>(digits[1])) != 0) {
        out += static_cast<char>(std::stoi(digits, nullptr, 16));
        text.remove_prefix(2);
      }
    }
  }

  void found(const std::string& name) {
    unmentioned_.erase(name);
    const auto [begin, end] = unread_.equal_range(name);
    for (auto blob = begin; blob != end; ++blob) found_.push_back(blob->second);
    unread_.erase(begin, end);
  }

  const fs::path& layout_;
  std::set<std::string>& unmentioned_;
  std::multimap<std::string, fs::path> unread_;  // by name
  std::vector<fs::path> found_;                  // mentioned, to be searched
};

}  // namespace

Json parse_object(ByteView bytes, const std::string& path) {
  const auto refuse_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kDeepest) {
      throw Error(ErrorKind::malformed, path,
                  fmt::format("is JSON nested more than {} levels deep", kDeepest));
    }
    return true;
  };
  Json json = Json::parse(bytes, refuse_depth, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object()) {
    throw Error(ErrorKind::malformed, path, "is not a JSON object");
  }
  return json;
}

Json read_document(const fs::path& layout, const Json& descriptor) {
  const auto name = file_name_of(descriptor);
  if (!name) {
    throw Error(ErrorKind::refused, layout.native(),
                fmt::format("has an image with the digest '{}'; whittle reads SHA-256 only",
                            text_member(descriptor, "digest")));
  }
  const fs::path path = blob_folder(layout) / *name;
  std::error_code error;
  if (!fs::exists(path, error) && !error) {
    throw Error(ErrorKind::corrupt, path.native(),
                "is missing from the layout; choose another folder for this image");
  }
  const LoadedFile file = read_file(path, kLargestDocument);
  if (to_hex(sha256(file.bytes)) != *name) {
    throw Error(ErrorKind::corrupt, path.native(),
                "does not have the content that its name is the digest of");
  }
  return parse_object(file.bytes, path.native());
}

NewBlobs::NewBlobs(const fs::path& layout, const std::vector<const Blob*>& blobs) {
  std::error_code error;
  fs::create_directories(blob_folder(layout), error);
  if (error) {
    throw io_error(blob_folder(layout).native(), "cannot create the folder", error.value());
  }
  // All of them are written before the first one gets its name, so that a process that is killed
  // hardly ever leaves one behind.
  std::vector<std::pair<fs::path, std::unique_ptr<AtomicFile>>> files;
  for (const Blob* blob : blobs) {
    fs::path path = layout / blob_path(*blob);
    const bool same_size = fs::file_size(path, error) == blob->bytes.size() && !error;
    if (same_size && read_file(path).bytes == blob->bytes) continue;
    files.emplace_back(path, std::make_unique<AtomicFile>(path, 0644));
    files.back().second->write(blob->bytes);
  }
  try {
    for (const auto& [path, file] : files) {
      const bool is_new = !fs::exists(path, error);
      file->commit();
      if (is_new) added_.push_back(path);
    }
  } catch (...) {
    remove_added();
    throw;
  }
}

NewBlobs::~NewBlobs() { remove_added(); }

void NewBlobs::remove_added() noexcept {
  for (const fs::path& path : added_) ::unlink(path.c_str());
  added_.clear();
}

std::vector<std::string> remove_unreferenced(const fs::path& layout,
                                             const std::vector<Json>& replaced) {
  Parts parts(layout);
  for (const Json& descriptor : replaced) parts.add(descriptor);
  std::set<std::string> unmentioned = parts.take();
  if (unmentioned.empty()) return {};
  const auto kept = [](const std::string& why) {
    return std::vector{"blobs of the replaced image stay in the layout: " + why};
  };
  try {
    Search(layout, unmentioned).run();
  } catch (const std::runtime_error& error) {  // uncertain, or a blob that cannot be read
    return kept(error.what());
  }
  for (const std::string& name : unmentioned) {
    const fs::path path = blob_folder(layout) / name;
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return kept(io_error(path.native(), "cannot remove", errno).what());
    }
  }
  return {};
}

void remove_leftovers(const fs::path& layout) {
  const auto remove_in = [](const fs::path& folder, const auto& is_ours) {
    std::error_code error, ignored;
    for (auto entry = fs::directory_iterator(folder, error);
         !error && entry != fs::directory_iterator(); entry.increment(error)) {
      const std::string name = entry->path().filename().native();
      if (is_ours(name_of_temporary(name)) &&
          fs::is_regular_file(fs::symlink_status(entry->path(), ignored))) {
        ::unlink(entry->path().c_str());
      }
    }
  };
  remove_in(layout,
            [](std::string_view name) { return name == "index.json" || name == "oci-layout"; });
  if (has_own_blobs(layout)) remove_in(blob_folder(layout), is_sha256_name);
}

}  // namespace whittle::imagegen
