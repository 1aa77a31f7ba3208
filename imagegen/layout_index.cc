// SPDX-License-Identifier: MIT
//
// A layout holds images under their names. Two rules of the formats meet here.
//
// Names. OCI image-spec (annotations.md, image-layout.md) has one annotation to select an image by,
// `org.opencontainers.image.ref.name`, and gives it no meaning beyond "commonly the tag". Docker
// and buildx write the tag alone there and the whole name into `io.containerd.image.name`; so does
// whittle, and `skopeo copy oci:LAYOUT:TAG` and `umoci unpack --image LAYOUT:TAG` work. But a tag
// says nothing about which image it is of: `api:1.4` and `worker:1.4` are two images. With two
// descriptors of one `ref.name`, skopeo takes the first without a word and umoci refuses. So, once
// two names of a layout share a tag, each gets its whole name, which the grammar of `ref.name`
// allows: `skopeo copy oci:LAYOUT:worker:1.4`. That concerns all who have the tag and whose whole
// name is known, not only the one that came second; otherwise parallel steps of a build would
// decide by chance who keeps the short name.
//
// Platforms. One name leads to one descriptor. Images of several platforms under it are the
// children of an image index (image-index.md), a blob of its own. An index that another tool made
// keeps what it has, including children that are no images: buildx, for one, attaches provenance as
// manifests for the platform "unknown/unknown" that name the image they are about in an annotation.
// Those of a replaced image go with it, because what they say is no longer true of any child.
//
// Images are kept in the order of their names, and children in that of their platforms: the result
// does not depend on which of two parallel writers came first.
#include "imagegen/layout_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/error.h"
#include "imagegen/reference.h"

namespace whittle::imagegen {
namespace {

constexpr std::string_view kDockerIndexType =
    "application/vnd.docker.distribution.manifest.list.v2+json";
constexpr std::string_view kDockerManifestType =
    "application/vnd.docker.distribution.manifest.v2+json";
// On an attestation: the digest of the image that it is about (buildx, attestation-storage.md).
constexpr std::string_view kAttestedDigest = "vnd.docker.reference.digest";

const Json* member(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string annotation(const Json& descriptor, std::string_view key) {
  const Json* annotations = member(descriptor, "annotations");
  return annotations == nullptr ? std::string() : text_member(*annotations, key);
}

std::optional<Reference> reference_of(const std::string& text) {
  try {
    return parse_reference(text);
  } catch (const Error&) {
    return std::nullopt;  // another tool's name, by another grammar
  }
}

bool is_whole_name(std::string_view ref) { return ref.find_first_of(":/") != ref.npos; }

// The whole name of the image that a descriptor in index.json leads to. None where only a tag is
// known.
std::optional<Reference> name_of(const Json& descriptor) {
  const std::string whole = annotation(descriptor, kContainerdName);
  if (!whole.empty()) return reference_of(whole);
  const std::string ref = annotation(descriptor, kRefName);
  return is_whole_name(ref) ? reference_of(ref) : std::nullopt;
}

// "linux/arm64", equal where the platform is the same. Members that whittle does not know make it
// another platform.
std::string platform_key(const Json& platform) {
  std::string variant = text_member(platform, "variant");
  const std::string architecture = text_member(platform, "architecture");
  // What containerd takes a missing variant for (platforms/database.go).
  if ((architecture == "arm64" && variant == "v8") || (architecture == "arm" && variant == "v7") ||
      (architecture == "amd64" && variant == "v1")) {
    variant.clear();
  }
  std::string key = fmt::format("{}/{}/{}", text_member(platform, "os"), architecture, variant);
  for (const auto& [name, value] : platform.items()) {
    if (name != "os" && name != "architecture" && name != "variant") {
      key += fmt::format(" {}={}", name, value.dump());
    }
  }
  return key;
}

// The platform that an image's config states; none where the descriptor leads to no image.
std::optional<Json> platform_from_config(const Json& descriptor, const DocumentReader& read) {
  if (!is_manifest_type(descriptor)) return std::nullopt;
  const Json manifest = read(descriptor);
  const Json* config_descriptor = member(manifest, "config");
  if (config_descriptor == nullptr) return std::nullopt;
  const std::string type = text_member(*config_descriptor, "mediaType");
  if (type != kConfigType && type != "application/vnd.docker.container.image.v1+json") {
    return std::nullopt;
  }
  const Json config = read(*config_descriptor);
  Json platform = Json::object();
  for (const char* key : {"architecture", "os", "variant"}) {
    if (const std::string value = text_member(config, key); !value.empty()) platform[key] = value;
  }
  if (!platform.contains("architecture") || !platform.contains("os")) return std::nullopt;
  return platform;
}

std::optional<Json> platform_of(const Json& descriptor, const DocumentReader& read) {
  const Json* platform = member(descriptor, "platform");
  if (platform == nullptr) return platform_from_config(descriptor, read);
  return platform->is_object() ? std::optional(*platform) : std::nullopt;
}

// Of a child of another tool's index. Layouts may lack blobs (image-layout.md), and what cannot be
// read is kept like anything else that whittle does not know.
std::optional<Json> platform_if_known(const Json& child, const DocumentReader& read) {
  try {
    return platform_of(child, read);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void drop_names(Json& descriptor) {
  if (member(descriptor, "annotations") == nullptr) return;
  Json& annotations = descriptor["annotations"];
  if (!annotations.is_object()) return;
  annotations.erase(std::string(kContainerdName));
  annotations.erase(std::string(kRefName));
  if (annotations.empty()) descriptor.erase("annotations");
}

// The children of an image index, with `image` among them.
class Children {
 public:
  explicit Children(Json image)
      : image_(std::move(image)), key_(platform_key(image_.at("platform"))) {}

  void add(Json child, const std::optional<Json>& platform) {
    std::string key = platform ? platform_key(*platform) : "";
    if (key == key_) {
      replaced_.insert(text_member(child, "digest"));
    } else {
      children_.push_back({std::move(key), std::move(child)});
    }
  }

  Json finish() {
    replaced_.erase(text_member(image_, "digest"));
    std::erase_if(children_, [&](const Child& child) {
      const std::string about = annotation(child.descriptor, kAttestedDigest);
      return !about.empty() && replaced_.contains(about);
    });
    const auto place = std::find_if(children_.begin(), children_.end(), [&](const Child& child) {
      return child.key.empty() || child.key > key_;
    });
    children_.insert(place, {key_, std::move(image_)});
    Json list = Json::array();
    for (Child& child : children_) list.push_back(std::move(child.descriptor));
    return list;
  }

 private:
  struct Child {
    std::string key;  // empty: for no platform
    Json descriptor;
  };
  Json image_;
  std::string key_;
  std::vector<Child> children_;
  std::set<std::string> replaced_;  // digests
};

// What the name leads to from now on: the image, or an image index with it. `before`: the
// descriptors that it led to until now, several where another tool listed each platform by itself.
Json make_entry(const Image& image, const std::vector<Json>& before, const DocumentReader& read,
                const std::string& path, std::optional<Blob>& platforms) {
  Json own = index_descriptor(image);
  drop_names(own);
  Children children(own);
  std::optional<Json> document, annotations, children_before;
  for (const Json& descriptor : before) {
    if (!is_index_type(descriptor)) {
      const std::optional<Json> platform = platform_of(descriptor, read);
      if (!platform) {
        throw Error(ErrorKind::refused, path,
                    fmt::format("has something other than an image under the name {}; choose "
                                "another name or another folder",
                                image.reference));
      }
      Json child = descriptor;
      drop_names(child);
      child["platform"] = *platform;
      children.add(std::move(child), platform);
      continue;
    }
    Json index = read(descriptor);
    const Json* list = member(index, "manifests");
    if (list == nullptr || !list->is_array()) {
      throw Error(ErrorKind::malformed, path,
                  fmt::format("has an image index under the name {} that has no list 'manifests'; "
                              "choose another folder",
                              image.reference));
    }
    for (const Json& child : *list) children.add(child, platform_if_known(child, read));
    if (document) continue;
    children_before = *list;
    document = std::move(index);
    if (const Json* found = member(descriptor, "annotations"); found != nullptr) {
      annotations = *found;
    }
  }

  Json list = children.finish();
  if (!document && list.size() == 1) return own;
  // Nothing new: the index keeps its bytes, whoever wrote them.
  if (before.size() == 1 && list == children_before) return before.front();
  if (!document) document = Json{{"schemaVersion", 2}};
  (*document)["mediaType"] = kIndexType;
  (*document)["manifests"] = std::move(list);
  platforms = make_blob(std::string(kIndexType), serialise(*document));
  Json entry = descriptor_of(*platforms);
  if (annotations && annotations->is_object()) entry["annotations"] = std::move(*annotations);
  return entry;
}

// Sets the annotations that the image is found by, and lengthens those of images whose tag it
// shares. `before`: what the name led to until now. Returns a note where something changed.
std::string set_names(Json& entry, const Reference& name, const std::vector<Json>& before,
                      Json& others) {
  bool shared = false;
  std::string lengthened;
  for (Json& other : others) {
    const std::string ref = annotation(other, kRefName);
    if (ref.empty()) continue;
    const std::optional<Reference> whole = name_of(other);
    if (ref != name.tag && !(whole && whole->tag == name.tag && ref == whole->familiar)) continue;
    shared = true;
    if (!whole || ref == whole->familiar) continue;
    other["annotations"][kRefName] = whole->familiar;
    lengthened += " and " + whole->familiar;
  }
  entry["annotations"][kContainerdName] = name.canonical;
  // Who wrote the whole name, and in which spelling, goes on finding the image by it.
  const std::string ref = before.empty() ? "" : annotation(before.front(), kRefName);
  entry["annotations"][kRefName] = is_whole_name(ref) ? ref : shared ? name.familiar : name.tag;
  if (!shared || (!before.empty() && lengthened.empty())) return "";
  return fmt::format(
      "the layout has another image with the tag {}: skopeo and umoci find {}{} by the whole name, "
      "as in LAYOUT:{}",
      name.tag, name.familiar, lengthened, name.familiar);
}

}  // namespace

std::string text_member(const Json& object, std::string_view key) {
  const Json* found = member(object, key);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_index_type(const Json& descriptor) {
  const std::string type = text_member(descriptor, "mediaType");
  return type == kIndexType || type == kDockerIndexType;
}

bool is_manifest_type(const Json& descriptor) {
  const std::string type = text_member(descriptor, "mediaType");
  return type == kManifestType || type == kDockerManifestType;
}

LayoutChange add_to_index(Json index, const Image& image, const DocumentReader& read,
                          const std::string& path) {
  const Reference name = parse_reference(image.reference);
  LayoutChange change;
  Json others = Json::array();
  std::optional<std::size_t> place;
  for (Json& descriptor : index["manifests"]) {
    const std::optional<Reference> other = name_of(descriptor);
    if (other && other->canonical == name.canonical) {
      if (!place) place = others.size();
      change.replaced.push_back(std::move(descriptor));
    } else {
      others.push_back(std::move(descriptor));
    }
  }
  if (!place) {
    const auto after = std::find_if(others.begin(), others.end(), [&](const Json& descriptor) {
      const std::optional<Reference> other = name_of(descriptor);
      return other && other->canonical > name.canonical;
    });
    place = static_cast<std::size_t>(after - others.begin());
  }
  Json entry = make_entry(image, change.replaced, read, path, change.platforms);
  std::string note = set_names(entry, name, change.replaced, others);
  if (!note.empty()) change.notes.push_back(std::move(note));
  others.insert(others.begin() + static_cast<std::ptrdiff_t>(*place), std::move(entry));
  index["manifests"] = std::move(others);
  change.index = serialise(index);
  return change;
}

}  // namespace whittle::imagegen
