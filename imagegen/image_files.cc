// SPDX-License-Identifier: MIT
//
// A layer is a tar of what it adds; a name ".wh.x" takes x of the layers below away, ".wh..wh..opq"
// all of their files in its folder. Reading layers from the topmost down makes one pass enough:
// what a layer has, or takes away, hides the same path below it. Only names are remembered.
//
// An archive is a tar of layers that are tars, in any order, and is not unpacked: for each layer it
// is read again up to that entry, whose bytes are the source of a second reader. For the few layers
// of an image that costs little, since entries that are passed over are skipped by seeking.
//
// Sources: OCI image-spec, image-layout.md, layer.md; Docker Image Specification 1.2
// (manifest.json).
#include "imagegen/image_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "common/file.h"
#include "common/folder_lock.h"
#include "imagegen/archive_reader.h"

namespace whittle::imagegen {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uint64_t kMaxJson = 4 << 20;
constexpr std::uint64_t kMaxFile = std::uint64_t{1} << 30;
constexpr std::size_t kMaxLayers = 512, kMaxImages = 256;
constexpr int kMaxNesting = 4;  // of indexes

// Where blobs come from: files of a folder, or entries of a tar. Names are relative: "index.json".
class Store {
 public:
  virtual ~Store() = default;
  virtual std::optional<Bytes> read(const std::string& name) = 0;  // nothing where it is missing
  virtual std::unique_ptr<ArchiveReader> open_layer(const std::string& name) = 0;
  Bytes require(const std::string& name, const std::string& path) {
    auto bytes = read(name);
    if (!bytes) throw Error(ErrorKind::corrupt, path, fmt::format("the image has no {}", name));
    return std::move(*bytes);
  }
};

class FolderStore : public Store {
 public:
  explicit FolderStore(fs::path folder) : folder_(std::move(folder)) {}
  std::optional<Bytes> read(const std::string& name) override {
    std::error_code error;
    if (!fs::exists(folder_ / name, error)) return std::nullopt;
    return read_file(folder_ / name, kMaxJson).bytes;
  }
  std::unique_ptr<ArchiveReader> open_layer(const std::string& name) override {
    return std::make_unique<ArchiveReader>(folder_ / name);
  }

 private:
  fs::path folder_;
};

std::string without_dot(std::string name) {
  while (name.starts_with("./")) name.erase(0, 2);
  return name;
}

class ArchiveStore : public Store {
 public:
  explicit ArchiveStore(fs::path path) : path_(std::move(path)) {}

  std::optional<Bytes> read(const std::string& name) override {
    auto reader = find(name);
    if (!reader) return std::nullopt;
    return reader->read_rest(kMaxJson);
  }
  std::unique_ptr<ArchiveReader> open_layer(const std::string& name) override {
    std::shared_ptr<ArchiveReader> outer = find(name);
    if (!outer) throw Error(ErrorKind::corrupt, path_.native(), fmt::format("has no {}", name));
    return std::make_unique<ArchiveReader>(
        [outer](std::span<std::uint8_t> buffer) { return outer->read(buffer); },
        path_.native() + ": " + name);
  }

 private:
  // A reader that stands at the entry. Older archives link equal layers to one another.
  std::unique_ptr<ArchiveReader> find(std::string name) {
    for (int links = 0; links < 8; links++) {
      auto reader = std::make_unique<ArchiveReader>(path_);
      std::optional<ArchiveEntry> entry = reader->next();
      while (entry && without_dot(entry->path) != name) entry = reader->next();
      if (!entry) return nullptr;
      if (entry->type == ArchiveEntry::Type::file) return reader;
      if (entry->type == ArchiveEntry::Type::symlink) {
        name = (fs::path(name).parent_path() / entry->target).lexically_normal().native();
      } else if (entry->type == ArchiveEntry::Type::hard_link) {
        name = without_dot(entry->target);
      } else {
        return nullptr;
      }
    }
    return nullptr;
  }

  fs::path path_;
};

std::unique_ptr<Store> open_store(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return std::make_unique<FolderStore>(path);
  return std::make_unique<ArchiveStore>(path);
}

Json parse(const Bytes& bytes, const std::string& path, std::string_view what) {
  Json json = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (json.is_discarded() || !json.is_object()) {
    throw Error(ErrorKind::corrupt, path, fmt::format("{} is not a JSON object", what));
  }
  return json;
}

std::string text_of(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// "blobs/sha256/…" for a digest, which must be nothing else.
std::string blob_name(const std::string& digest, const std::string& path) {
  const std::size_t colon = digest.find(':');
  const auto ends_in = [&](std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
  };
  if (colon == std::string::npos || colon == 0 || colon + 1 == digest.size() ||
      !ends_in(digest.substr(0, colon)) || !ends_in(digest.substr(colon + 1))) {
    throw Error(ErrorKind::corrupt, path, fmt::format("`{}` is not a digest", digest));
  }
  return "blobs/" + digest.substr(0, colon) + "/" + digest.substr(colon + 1);
}

struct FoundImage {
  std::string name;
  std::vector<std::string> layers;  // names in the store, the lowest first
};

class Images {
 public:
  Images(Store& store, std::string path) : store_(store), path_(std::move(path)) {}

  std::vector<FoundImage> find() {
    if (const auto index = store_.read("index.json")) {
      add_index(parse(*index, path_, "index.json"), 0);
    } else {
      add_docker(store_.require("manifest.json", path_));
    }
    if (images_.size() == 1) images_.front().name.clear();
    return std::move(images_);
  }

 private:
  void add_index(const Json& index, int depth) {
    const auto manifests = index.find("manifests");
    if (manifests == index.end() || !manifests->is_array() || depth > kMaxNesting) {
      throw Error(ErrorKind::corrupt, path_, "an image index lists no manifests");
    }
    for (const Json& descriptor : *manifests) {
      if (!descriptor.is_object() || images_.size() >= kMaxImages) continue;
      const std::string digest = text_of(descriptor, "digest");
      const Json manifest =
          parse(store_.require(blob_name(digest, path_), path_), path_, "a manifest");
      if (manifest.contains("manifests")) {
        add_index(manifest, depth + 1);
      } else {
        add_manifest(manifest, descriptor);
      }
    }
  }

  void add_manifest(const Json& manifest, const Json& descriptor) {
    FoundImage image;
    const auto platform = descriptor.find("platform");
    if (platform != descriptor.end() && platform->is_object()) {
      // What builders attach to an image (provenance) is marked so, and has nothing that runs.
      if (text_of(*platform, "architecture") == "unknown") return;
      image.name = text_of(*platform, "os") + "/" + text_of(*platform, "architecture");
    } else {
      image.name = text_of(descriptor, "digest").substr(0, 19);
    }
    const auto layers = manifest.find("layers");
    if (layers == manifest.end() || !layers->is_array()) {
      throw Error(ErrorKind::corrupt, path_, "a manifest lists no layers");
    }
    for (const Json& layer : *layers) {
      if (layer.is_object()) image.layers.push_back(blob_name(text_of(layer, "digest"), path_));
    }
    images_.push_back(std::move(image));
  }

  // [{"RepoTags": ["hello:1.0"], "Layers": ["….tar", …]}, …]
  void add_docker(const Bytes& bytes) {
    const Json list = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
    if (list.is_discarded() || !list.is_array()) {
      throw Error(ErrorKind::corrupt, path_, "manifest.json is not a JSON list");
    }
    for (const Json& one : list) {
      if (!one.is_object() || images_.size() >= kMaxImages) continue;
      FoundImage image;
      const auto tags = one.find("RepoTags");
      if (tags != one.end() && tags->is_array() && !tags->empty() && tags->front().is_string()) {
        image.name = tags->front().get<std::string>();
      }
      const auto layers = one.find("Layers");
      if (layers == one.end() || !layers->is_array()) {
        throw Error(ErrorKind::corrupt, path_, "manifest.json lists no layers");
      }
      for (const Json& layer : *layers) {
        if (layer.is_string()) image.layers.push_back(layer.get<std::string>());
      }
      images_.push_back(std::move(image));
    }
  }

  Store& store_;
  std::string path_;
  std::vector<FoundImage> images_;
};

// "./usr//bin/app" → "/usr/bin/app"; nothing for what leads out of the root.
std::optional<std::string> normalise(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == "..") return std::nullopt;
    out += '/';
    out += part;
  }
  return out;
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// What the layers above hide.
class Hidden {
 public:
  bool contains(const std::string& path, bool is_folder) const {
    if (covered_.contains(path) || (!is_folder && folders_.contains(path))) return true;
    for (std::string above = path; !above.empty();) {
      above = parent_of(above);
      if (emptied_.contains(above) || (!above.empty() && covered_.contains(above))) return true;
    }
    return false;
  }
  void cover(std::string path) { covered_.insert(std::move(path)); }
  void add_folder(std::string path) { folders_.insert(std::move(path)); }
  void empty(std::string folder) { emptied_.insert(std::move(folder)); }
  void merge(Hidden&& other) {
    covered_.merge(other.covered_);
    folders_.merge(other.folders_);
    emptied_.merge(other.emptied_);
  }

 private:
  std::set<std::string> covered_, folders_, emptied_;
};

class LayerWalk {
 public:
  LayerWalk(const std::string& image, const ImageVisitor& visitor)
      : image_(image), visitor_(visitor) {}

  void walk(ArchiveReader& reader) {
    Hidden own;  // a layer's whiteouts do not concern itself
    std::set<std::string> replaced;
    while (const auto entry = reader.next()) {
      const auto path = normalise(entry->path);
      if (!path) {
        visitor_.problem(entry->path, Error(ErrorKind::corrupt, "", "leads out of the root"));
        continue;
      }
      if (path->empty()) continue;
      const std::string name = path->substr(path->rfind('/') + 1);
      if (name == ".wh..wh..opq") {
        own.empty(parent_of(*path));
        continue;
      }
      if (name.starts_with(".wh.")) {
        if (!name.starts_with(".wh..wh.")) own.cover(parent_of(*path) + "/" + name.substr(4));
        continue;
      }
      const bool is_folder = entry->type == ArchiveEntry::Type::folder;
      const bool hidden = hidden_.contains(*path, is_folder);
      if (is_folder) {
        own.add_folder(*path);
        continue;
      }
      own.cover(*path);
      if (hidden) {
        replaced.insert(*path);
      } else if (entry->type == ArchiveEntry::Type::file) {
        take(*path, entry->mode, reader);
      } else if (entry->type == ArchiveEntry::Type::hard_link &&
                 replaced.contains(normalise(entry->target).value_or(""))) {
        visitor_.problem(*path, Error(ErrorKind::refused, "",
                                      "is a hard link to " + entry->target +
                                          ", which a layer above replaces: not examined"));
      }
    }
    hidden_.merge(std::move(own));
  }

 private:
  void take(const std::string& path, std::uint32_t mode, ArchiveReader& reader) {
    Bytes content(4);
    std::size_t have = 0;
    while (have < content.size()) {
      const std::size_t n = reader.read(std::span(content).subspan(have));
      if (n == 0) break;
      have += n;
    }
    content.resize(have);
    if (!visitor_.wants(content)) return;
    try {
      const Bytes rest = reader.read_rest(kMaxFile);
      content.insert(content.end(), rest.begin(), rest.end());
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::refused) throw;
      visitor_.problem(path, error);
      return;
    }
    visitor_.take({image_, path, mode, std::move(content)});
  }

  const std::string& image_;
  const ImageVisitor& visitor_;
  Hidden hidden_;
};

// A tar's first header, or the first bytes of what compresses one.
bool may_be_archive(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return false;
  std::array<char, 265> start{};
  const ssize_t n = ::pread(fd, start.data(), start.size(), 0);
  ::close(fd);
  const std::string_view text(start.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  return (text.size() >= 262 && text.substr(257, 5) == "ustar") || text.starts_with("\x1f\x8b") ||
         text.starts_with("\x28\xb5\x2f\xfd") ||
         text.starts_with(
             "\xfd"
             "7zXZ") ||
         text.starts_with("BZh");
}

// Keeps writers from removing blobs while a layout is read. Where a folder cannot be locked (some
// network file systems), it is read without.
std::unique_ptr<FolderLock> lock_for_reading(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return nullptr;
  try {
    return std::make_unique<FolderLock>(path, FolderLock::Kind::shared);
  } catch (const Error&) {
    return nullptr;
  }
}

}  // namespace

bool is_image(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    return fs::is_regular_file(path / "oci-layout", error) &&
           fs::is_regular_file(path / "index.json", error);
  }
  if (!fs::is_regular_file(path, error) || !may_be_archive(path)) return false;
  try {
    ArchiveReader reader(path);
    while (const auto entry = reader.next()) {
      const std::string name = without_dot(entry->path);
      if (name == "oci-layout" || name == "manifest.json" || name == "index.json") return true;
    }
  } catch (const Error&) {
    return false;
  }
  return false;
}

void walk_image(const fs::path& path, const ImageVisitor& visitor) {
  const auto lock = lock_for_reading(path);
  const auto store = open_store(path);
  for (const FoundImage& image : Images(*store, path.native()).find()) {
    if (image.layers.size() > kMaxLayers) {
      throw Error(ErrorKind::corrupt, path.native(), "an image has more than 512 layers");
    }
    LayerWalk walk(image.name, visitor);
    for (auto layer = image.layers.rbegin(); layer != image.layers.rend(); ++layer) {
      try {
        walk.walk(*store->open_layer(*layer));
      } catch (const Error& error) {
        visitor.problem(*layer, error);
      }
    }
  }
}

}  // namespace whittle::imagegen
