// SPDX-License-Identifier: MIT
//
// An archive may have both an index.json and a manifest.json, and engines read one or the other. So
// the images of both are listed.
#include "imagegen/image_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "common/digest.h"
#include "common/text.h"
#include "imagegen/manifest.h"

namespace whittle::imagegen {
namespace {

namespace fs = std::filesystem;
// Not the ordered one: its time to read a document grows with the square of its members.
using Document = nlohmann::json;

constexpr std::size_t kMaxLayers = 512;
constexpr std::size_t kMaxImages = 10'000;
constexpr std::size_t kMaxAllLayers = 100'000;  // of all images
constexpr int kMaxNesting = 16;                 // of indexes

enum class Form { oci, docker, folder };  // where blobs lie

[[noreturn]] void corrupt(const std::string& path, std::string_view what) {
  throw Error(ErrorKind::corrupt, path, what);
}

const Document* member(const Document& json, const char* key) {
  if (!json.is_object()) return nullptr;
  const auto it = json.find(key);
  return it == json.end() || it->is_null() ? nullptr : &*it;
}

std::string text_of(const Document& json, const char* key) {
  const Document* value = member(json, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::vector<std::string> texts_of(const Document& json, const char* key, const std::string& path) {
  std::vector<std::string> out;
  const Document* value = member(json, key);
  if (value == nullptr) return out;
  if (value->is_string()) return {value->get<std::string>()};  // as old builders write a command
  if (!value->is_array()) corrupt(path, fmt::format("`{}` is not a list", key));
  for (const Document& one : *value) {
    if (!one.is_string()) corrupt(path, fmt::format("`{}` is not a list of texts", key));
    out.push_back(one.get<std::string>());
  }
  return out;
}

const Document& list_of(const Document& json, const char* key, const std::string& path,
                        std::string_view what) {
  const Document* list = member(json, key);
  if (list == nullptr || !list->is_array()) corrupt(path, fmt::format("{} lists no {}", what, key));
  return *list;
}

// A reference to a blob.
struct Descriptor {
  std::string media_type, digest;
  std::optional<std::uint64_t> size;
};

// "abc…" of "sha256:abc…".
std::string hex_of(const std::string& digest, const std::string& path) {
  constexpr std::string_view kPrefix = "sha256:";
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  const std::string hex = digest.starts_with(kPrefix) ? digest.substr(kPrefix.size()) : "";
  if (hex.size() == 64 && std::all_of(hex.begin(), hex.end(), is_hex)) return hex;
  if (digest.starts_with("sha512:")) {
    throw Error(ErrorKind::refused, path,
                "uses the digests of SHA-512; whittle takes those of SHA-256");
  }
  corrupt(path, fmt::format("`{}` is not a digest", printable(digest)));
}

Descriptor descriptor_of(const Document& json, const std::string& path, std::string_view what) {
  if (!json.is_object()) corrupt(path, fmt::format("{} is not described by an object", what));
  Descriptor out{text_of(json, "mediaType"), text_of(json, "digest"), std::nullopt};
  hex_of(out.digest, path);
  if (const Document* size = member(json, "size")) {
    if (!size->is_number_unsigned()) {
      corrupt(path, fmt::format("the size of {} is not a number of bytes", printable(out.digest)));
    }
    out.size = size->get<std::uint64_t>();
  }
  return out;
}

// Whether a blob of that type is a tar of files. Old builders and docker's archives name no type.
bool is_tar(const std::string& media_type) {
  return media_type.empty() || (media_type.find("tar") != std::string::npos &&
                                media_type.find("encrypted") == std::string::npos);
}

std::string platform_of(const Document& json) {
  std::string out = text_of(json, "os") + "/" + text_of(json, "architecture");
  if (const std::string variant = text_of(json, "variant"); !variant.empty()) out += "/" + variant;
  return out == "/" ? "" : out;
}

RunConfig run_config_of(const Document& config, const std::string& path) {
  RunConfig run;
  const Document* json = member(config, "config");
  if (json == nullptr) return run;
  run.entrypoint = texts_of(*json, "Entrypoint", path);
  run.cmd = texts_of(*json, "Cmd", path);
  run.env = texts_of(*json, "Env", path);
  run.working_dir = text_of(*json, "WorkingDir");
  run.user = text_of(*json, "User");
  return run;
}

class Finder {
 public:
  Finder(ImageStore& store, std::string path) : store_(store), path_(std::move(path)) {}

  std::vector<FoundImage> find(std::optional<Document> index, std::optional<Document> manifest) {
    if (index) add_index(*index, Form::oci, {}, 0, "index.json");
    if (manifest && manifest->is_object()) {
      add_manifest(*manifest, Form::folder, {}, "", Document::object());
    } else if (manifest) {
      add_docker(*manifest);
    }
    const bool is_any_there = std::any_of(images_.begin(), images_.end(),
                                          [](const FoundImage& image) { return !image.is_absent; });
    if (!is_any_there && !images_.empty()) {
      corrupt(path_, fmt::format("the image has no {}", images_.front().problems.front().first));
    }
    if (!is_any_there) corrupt(path_, "has no image in it");
    label();
    return std::move(images_);
  }

 private:
  std::string blob_name(const std::string& digest, Form form, bool is_manifest) const {
    const std::string hex = hex_of(digest, path_);
    if (form == Form::folder) return is_manifest ? hex + ".manifest.json" : hex;
    return "blobs/sha256/" + hex;
  }

  // Nothing if it is missing. Throws Error{corrupt} if it does not match its description.
  std::optional<Document> read_document(const Descriptor& blob, Form form, bool is_manifest,
                                        std::string_view what) {
    const auto bytes = store_.read(blob_name(blob.digest, form, is_manifest));
    if (!bytes) return std::nullopt;
    if (blob.size && *blob.size != bytes->size()) {
      corrupt(path_, fmt::format("{} {} has {} bytes, not {} as its size says", what, blob.digest,
                                 bytes->size(), *blob.size));
    }
    const std::string digest = "sha256:" + to_hex(sha256(*bytes));
    if (digest != blob.digest) {
      corrupt(path_, fmt::format("{} is not what its digest says: {}, but {} is its digest", what,
                                 blob.digest, digest));
    }
    Document json = Document::parse(bytes->begin(), bytes->end(), nullptr, false);
    if (json.is_discarded() || !json.is_object()) {
      corrupt(path_, fmt::format("{} {} is not a JSON object", what, blob.digest));
    }
    return json;
  }

  FoundImage& new_image() {
    if (images_.size() == kMaxImages) {
      throw Error(ErrorKind::refused, path_,
                  fmt::format("has more than {} images, which is more than whittle reads of one "
                              "path",
                              kMaxImages));
    }
    return images_.emplace_back();
  }

  static std::string tag_of(const Document& descriptor) {
    const Document* annotations = member(descriptor, "annotations");
    return annotations == nullptr ? "" : text_of(*annotations, kRefName.data());
  }

  void add_index(const Document& index, Form form, const std::string& tag, int depth,
                 std::string_view what) {
    if (depth > kMaxNesting) {
      throw Error(ErrorKind::refused, path_,
                  fmt::format("has indexes inside of indexes, more than {} deep", kMaxNesting));
    }
    for (const Document& json : list_of(index, "manifests", path_, what)) {
      const std::string own_tag = tag_of(json);
      const std::string& its_tag = own_tag.empty() ? tag : own_tag;
      const Descriptor blob = descriptor_of(json, path_, "an image");
      // The same blob again is the same image, by whatever name.
      const auto [known, is_new] = known_.try_emplace(blob.digest);
      if (!is_new) {
        if (known->second) add_tag(images_[*known->second], its_tag);
        continue;
      }
      const std::size_t place = images_.size();
      try {
        const auto manifest = read_document(blob, form, true, "the manifest");
        if (!manifest) {
          FoundImage& image = new_image();
          image.digest = blob.digest;
          image.platform = platform_in_index(json);
          image.is_absent = true;
          add_tag(image, its_tag);
          image.problems.emplace_back(blob_name(blob.digest, form, true),
                                      Error(ErrorKind::corrupt, path_, "is not there"));
        } else if (member(*manifest, "manifests") != nullptr) {
          add_index(*manifest, form, its_tag, depth + 1, "an image index");
          continue;
        } else {
          add_manifest(*manifest, form, its_tag, blob.digest, json);
        }
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::refused) throw;
        FoundImage& image = new_image();
        image.digest = blob.digest;
        image.platform = platform_in_index(json);
        add_tag(image, its_tag);
        image.problems.emplace_back(blob.digest, error);
      }
      if (place < images_.size()) known->second = place;
    }
  }

  static std::string platform_in_index(const Document& descriptor) {
    const Document* platform = member(descriptor, "platform");
    return platform == nullptr ? "" : platform_of(*platform);
  }

  static void add_tag(FoundImage& image, const std::string& tag) {
    const bool is_known = std::find(image.tags.begin(), image.tags.end(), tag) != image.tags.end();
    if (!tag.empty() && !is_known) image.tags.push_back(tag);
  }

  void add_manifest(const Document& manifest, Form form, const std::string& tag,
                    const std::string& digest, const Document& descriptor) {
    if (form == Form::folder && member(manifest, "manifests") != nullptr) {
      return add_index(manifest, form, tag, 0, "manifest.json");
    }
    FoundImage image;
    image.digest = digest;
    image.platform = platform_in_index(descriptor);
    add_tag(image, tag);
    const Document& layers = list_of(manifest, "layers", path_, "a manifest");
    bool has_tar = layers.empty();
    for (const Document& json : layers) {
      const Descriptor blob = descriptor_of(json, path_, "a layer");
      has_tar |= is_tar(blob.media_type);
      if (!is_tar(blob.media_type)) {
        image.problems.emplace_back(
            blob.digest, Error(ErrorKind::refused, path_,
                               fmt::format("is a layer of the type {}, which whittle does not read",
                                           printable(blob.media_type))));
        continue;
      }
      image.layers.push_back({.name = blob_name(blob.digest, form, false),
                              .digest = blob.digest,
                              .size = blob.size,
                              .diff_id = ""});
    }
    // Attachments of images (provenance, signatures) have the form of images and hold no files.
    if (!has_tar) return;
    const Document* config = member(manifest, "config");
    if (config == nullptr) corrupt(path_, "a manifest names no config");
    const Descriptor blob = descriptor_of(*config, path_, "a config");
    std::vector<std::string>& digests = layers_of_config_[blob.digest];
    digests.clear();
    for (const LayerClaim& layer : image.layers) digests.push_back(layer.digest);
    if (const auto json = attempt(image, blob.digest, [&] {
          auto read = read_document(blob, form, false, "the config");
          if (!read) corrupt(path_, fmt::format("the image has no config {}", blob.digest));
          return *read;
        })) {
      add_config(*json, image);
    }
    check_count(image);
    new_image() = std::move(image);
  }

  // Turns an exception into a problem of the image.
  template <typename Action>
  std::optional<Document> attempt(FoundImage& image, const std::string& where, Action action) {
    try {
      return action();
    } catch (const Error& error) {
      image.problems.emplace_back(where, error);
      return std::nullopt;
    }
  }

  void check_count(const FoundImage& image) {
    layers_ += image.layers.size();
    if (image.layers.size() <= kMaxLayers && layers_ <= kMaxAllLayers) return;
    throw Error(ErrorKind::refused, path_,
                fmt::format("has an image of more than {} layers, or more than {} in all images",
                            kMaxLayers, kMaxAllLayers));
  }

  void add_config(const Document& config, FoundImage& image) {
    if (const std::string platform = platform_of(config); !platform.empty()) {
      image.platform = platform;
    }
    attempt(image, "config", [&] {
      image.run = run_config_of(config, path_);
      image.is_config_known = true;
      return Document();
    });
    const Document* rootfs = member(config, "rootfs");
    if (rootfs == nullptr || member(*rootfs, "diff_ids") == nullptr) return;
    attempt(image, "config", [&] {
      const std::vector<std::string> ids = texts_of(*rootfs, "diff_ids", path_);
      if (ids.size() != image.layers.size()) {
        corrupt(path_, fmt::format("the config lists {} layers, but the image has {}", ids.size(),
                                   image.layers.size()));
      }
      for (std::size_t i = 0; i < ids.size(); i++) {
        hex_of(ids[i], path_);
        image.layers[i].diff_id = ids[i];
      }
      return Document();
    });
  }

  // [{"Config": "….json", "RepoTags": ["hello:1.0"], "Layers": ["….tar", …]}, …]
  void add_docker(const Document& list) {
    for (const Document& one : list) {
      if (!one.is_object()) corrupt(path_, "manifest.json is not a list of objects");
      const std::string config_name = text_of(one, "Config");
      const std::string claimed = digest_in(config_name);
      FoundImage image;
      image.tags = texts_of(one, "RepoTags", path_);
      list_of(one, "Layers", path_, "manifest.json");
      for (const std::string& name : texts_of(one, "Layers", path_)) {
        image.layers.push_back(
            {.name = name, .digest = blob_digest_in(name), .size = {}, .diff_id = ""});
      }
      // index.json has it, too.
      if (const auto known = layers_of_config_.find(claimed);
          known != layers_of_config_.end() &&
          std::equal(known->second.begin(), known->second.end(), image.layers.begin(),
                     image.layers.end(), [](const std::string& digest, const LayerClaim& layer) {
                       return digest == layer.digest;
                     })) {
        continue;
      }
      if (!config_name.empty()) {
        const auto config = attempt(image, config_name, [&] {
          const auto bytes = store_.read(config_name);
          if (!bytes) corrupt(path_, fmt::format("the image has no {}", printable(config_name)));
          const std::string digest = "sha256:" + to_hex(sha256(*bytes));
          if (!claimed.empty() && digest != claimed) {
            corrupt(path_, fmt::format("the config {} is not what its name says: {} is its digest",
                                       printable(config_name), digest));
          }
          Document json = Document::parse(bytes->begin(), bytes->end(), nullptr, false);
          if (json.is_discarded() || !json.is_object()) {
            corrupt(path_, fmt::format("{} is not a JSON object", printable(config_name)));
          }
          return json;
        });
        if (config) add_config(*config, image);
      }
      check_count(image);
      new_image() = std::move(image);
    }
  }

  // "sha256:abc…" of "abc….json", "blobs/sha256/abc…"; empty where the name is not a digest.
  static std::string digest_in(std::string_view name) {
    name.remove_prefix(name.rfind('/') + 1);
    if (name.ends_with(".json")) name.remove_suffix(5);
    const bool is_hex =
        name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    return is_hex ? "sha256:" + std::string(name) : std::string();
  }
  // Docker's older archives name layers by ids of their own ("abc…/layer.tar"); blobs are named by
  // their digest.
  static std::string blob_digest_in(std::string_view name) {
    return name.starts_with("blobs/sha256/") ? digest_in(name) : std::string();
  }

  // Gives each image a label that is unique: the first of these forms that does so for all images.
  void label() {
    if (images_.size() == 1) return;
    const auto first_tag = [](const FoundImage& image) {
      return image.tags.empty() ? std::string() : image.tags.front();
    };
    const auto joined = [](const std::string& a, const std::string& b) {
      return a.empty() || b.empty() ? a + b : a + " " + b;
    };
    using Label = std::function<std::string(const FoundImage&)>;
    for (const Label& label :
         {Label([](const FoundImage& image) { return image.platform; }), Label(first_tag),
          Label([&](const FoundImage& image) { return joined(first_tag(image), image.platform); }),
          Label([&](const FoundImage& image) {
            return joined(joined(first_tag(image), image.platform), image.digest.substr(0, 19));
          })}) {
      std::set<std::string> seen;
      for (FoundImage& image : images_) {
        image.label = label(image);
        if (!image.label.empty()) seen.insert(image.label);
      }
      if (seen.size() == images_.size()) return;
    }
    for (std::size_t i = 0; i < images_.size(); i++) {
      images_[i].label = joined(images_[i].label, fmt::format("image {}", i + 1));
    }
  }

  ImageStore& store_;
  std::string path_;
  std::vector<FoundImage> images_;
  std::size_t layers_ = 0;  // of all images
  // By digest, the place in images_ of what is an image.
  std::map<std::string, std::optional<std::size_t>> known_;
  // The digests of the layers of each image that index.json names, by that of its config.
  std::map<std::string, std::vector<std::string>> layers_of_config_;
};

}  // namespace

std::unique_ptr<ImageSet> ImageSet::open(const fs::path& path) {
  std::unique_ptr<ImageStore> store = open_store(path);
  if (!store) return nullptr;
  std::error_code error;
  const bool is_folder = fs::is_directory(path, error);
  const auto read_json = [&](const char* name) -> std::optional<Document> {
    if (!store->contains(name)) return std::nullopt;
    const auto bytes = store->read(name);
    Document json =
        bytes ? Document::parse(bytes->begin(), bytes->end(), nullptr, false) : Document();
    return json.is_discarded() ? Document() : std::move(json);
  };
  const bool is_marked = store->contains("oci-layout");
  if (!is_marked && !store->contains("index.json") && !store->contains("manifest.json")) {
    return nullptr;
  }
  std::optional<Document> index = read_json("index.json"), manifest = read_json("manifest.json");
  // Folders without images may have files of these names.
  const bool is_index = index && member(*index, "manifests") != nullptr;
  const bool is_manifest =
      manifest && (manifest->is_array() ? !manifest->empty() && member(manifest->front(), "Layers")
                                        : member(*manifest, "schemaVersion") != nullptr);
  if (is_folder && !is_marked && !is_index && !is_manifest) return nullptr;
  if (!index && !manifest) corrupt(path.native(), "has an oci-layout, but no index.json");
  if (index && !index->is_object()) corrupt(path.native(), "index.json is not a JSON object");
  if (manifest && !manifest->is_array() && !is_manifest) {
    if (!index) corrupt(path.native(), "manifest.json is not a JSON list");
    manifest.reset();
  }
  auto images = Finder(*store, path.native()).find(std::move(index), std::move(manifest));
  return std::unique_ptr<ImageSet>(
      new ImageSet(std::move(store), path.native(), std::move(images)));
}

void ImageSet::read_layers(const std::set<std::string>& names, const Begin& begin,
                           const Take& take) {
  std::map<std::string, std::set<std::optional<std::uint64_t>>> sizes;  // as images say them
  for (const FoundImage& image : images_) {
    for (const LayerClaim& layer : image.layers) sizes[layer.name].insert(layer.size);
  }
  store_->visit(names, [&](const std::string& name, const ByteSource& source, std::uint64_t size) {
    const auto& claimed = sizes[name];
    if (!claimed.contains(std::nullopt) && !claimed.contains(size)) {
      LayerContents unread;
      unread.size = size;
      take(name, std::move(unread));
      return;
    }
    const LayerVisitor visitor = begin(name);
    take(name, reader_.read(source, size, path_ + ": " + name, visitor));
  });
}

std::optional<Error> check_layer(const LayerClaim& claim, const LayerContents& contents) {
  const auto differs = [](std::string_view what, std::string_view is, std::string_view claimed) {
    return Error(ErrorKind::corrupt, "",
                 fmt::format("is not the layer that the image names: its {} is {}, not {}", what,
                             is, claimed));
  };
  if (claim.size && *claim.size != contents.size) {
    return differs("size", std::to_string(contents.size), std::to_string(*claim.size));
  }
  if (!claim.digest.empty() && claim.digest != contents.digest && !contents.digest.empty()) {
    return differs("digest", contents.digest, claim.digest);
  }
  if (contents.error) return contents.error;
  if (!claim.diff_id.empty() && claim.diff_id != contents.diff_id) {
    return differs("digest before compression", contents.diff_id, claim.diff_id);
  }
  return std::nullopt;
}

}  // namespace whittle::imagegen
