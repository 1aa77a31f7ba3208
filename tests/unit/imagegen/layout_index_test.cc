// SPDX-License-Identifier: MIT
//
// Documents only: what index.json and the image indexes become. layout_test.cc has the files.
#include "imagegen/layout_index.h"

#include <algorithm>
#include <map>

#include "testing.h"

namespace whittle::imagegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Image image_of(std::string tag, std::string architecture = "amd64", std::string variant = "",
               std::string content = "x") {
  ImageSpec spec = small_spec();
  spec.tag = std::move(tag);
  spec.architecture = std::move(architecture);
  spec.variant = std::move(variant);
  spec.files[0].content = to_bytes(content);
  return build_image(spec);
}

// A layout in memory.
class Layout {
 public:
  Layout& add(const Image& image) {
    for (const Blob* blob : {&image.manifest, &image.config}) put(*blob);
    LayoutChange change = add_to_index(index, image, reader(), "lay");
    if (change.platforms) put(*change.platforms);
    index = Json::parse(change.index);
    replaced = std::move(change.replaced);
    notes = std::move(change.notes);
    return *this;
  }

  // A document of another tool's making, and a descriptor of it.
  Json put(std::string_view media_type, const Json& document) {
    const Blob blob = make_blob(std::string(media_type), serialise(document));
    put(blob);
    return descriptor_of(blob);
  }

  Json& manifests() { return index["manifests"]; }
  Json document(const Json& descriptor) const {
    return blobs_.at(descriptor.at("digest").get<std::string>());
  }

  // "NAME: PLATFORM DIGEST, …" for each descriptor, the digest being that of the image.
  std::vector<std::string> listing() const {
    std::vector<std::string> out;
    for (const Json& descriptor : index.at("manifests")) {
      std::string line =
          descriptor["annotations"].value("org.opencontainers.image.ref.name", "") + ":";
      if (is_index_type(descriptor)) {
        const Json children = document(descriptor);
        for (const Json& child : children.at("manifests")) line += describe(child);
      } else {
        line += describe(descriptor);
      }
      out.push_back(line);
    }
    return out;
  }

  Json index = {{"schemaVersion", 2}, {"manifests", Json::array()}};
  std::vector<Json> replaced;
  std::vector<std::string> notes;

 private:
  static std::string describe(const Json& descriptor) {
    return " " + descriptor["platform"].value("architecture", "?") +
           descriptor["platform"].value("variant", "") + "=" +
           descriptor["digest"].get<std::string>().substr(7, 6);
  }
  void put(const Blob& blob) { blobs_[blob.digest] = Json::parse(blob.bytes); }
  DocumentReader reader() const {
    return [this](const Json& descriptor) {
      const auto found = blobs_.find(text_member(descriptor, "digest"));
      if (found == blobs_.end()) throw Error(ErrorKind::corrupt, "blob", "is missing");
      return found->second;
    };
  }

  std::map<std::string, Json> blobs_;
};

std::string short_digest(const Image& image) { return image.manifest.digest.substr(7, 6); }

TEST(LayoutIndex, ComparesWholeNames) {
  const Image api = image_of("api:1.4.0", "amd64", "", "api");
  const Image worker = image_of("worker:1.4.0", "amd64", "", "worker");
  const Image other = image_of("registry.example/api:1.4.0", "amd64", "", "other");
  Layout layout;
  layout.add(api);
  EXPECT_THAT(layout.listing(), ElementsAre("1.4.0: amd64=" + short_digest(api)));
  EXPECT_THAT(layout.notes, IsEmpty());
  layout.add(worker);
  EXPECT_THAT(layout.replaced, IsEmpty());
  EXPECT_THAT(layout.notes, ElementsAre(HasSubstr("worker:1.4.0 and api:1.4.0 by the whole name")));
  layout.add(other);
  EXPECT_THAT(layout.listing(),
              ElementsAre("api:1.4.0: amd64=" + short_digest(api),
                          "worker:1.4.0: amd64=" + short_digest(worker),
                          "registry.example/api:1.4.0: amd64=" + short_digest(other)));
  EXPECT_THAT(layout.notes, SizeIs(1));

  // The same name in other words, and again: one image, one descriptor, no further note.
  const Image again = image_of("docker.io/library/api:1.4.0", "amd64", "", "again");
  layout.add(again);
  EXPECT_EQ(layout.listing()[0], "api:1.4.0: amd64=" + short_digest(again));
  EXPECT_THAT(layout.listing(), SizeIs(3));
  EXPECT_THAT(layout.replaced, SizeIs(1));
  EXPECT_THAT(layout.notes, IsEmpty());
  // A tag of its own stays short.
  EXPECT_THAT(layout.add(image_of("api:2")).listing()[1], HasSubstr("2: amd64="));
}

TEST(LayoutIndex, PlatformsOfANameFormAnIndex) {
  const Image amd = image_of("app:1"), arm = image_of("app:1", "arm64", "v8");
  const Image riscv = image_of("app:1", "riscv64");
  Layout layout;
  layout.add(arm).add(amd);
  EXPECT_THAT(layout.listing(),
              ElementsAre("1: amd64=" + short_digest(amd) + " arm64v8=" + short_digest(arm)));
  const Json entry = layout.manifests()[0];
  EXPECT_EQ(entry["mediaType"], kIndexType);
  EXPECT_EQ(entry["annotations"]["io.containerd.image.name"], "docker.io/library/app:1");
  EXPECT_FALSE(entry.contains("platform"));
  const Json expected = Json::parse(R"({"schemaVersion": 2,
      "mediaType": "application/vnd.oci.image.index.v1+json"})");
  Json document = layout.document(entry);
  for (const Json& child : document["manifests"]) {
    EXPECT_FALSE(child.contains("annotations"));
    EXPECT_TRUE(child.contains("platform") && child.contains("size"));
  }
  document.erase("manifests");
  EXPECT_EQ(document, expected);

  layout.add(riscv);
  const Image amd_again = image_of("app:1", "amd64", "", "again");
  layout.add(amd_again);
  EXPECT_THAT(layout.listing(), ElementsAre("1: amd64=" + short_digest(amd_again) + " arm64v8=" +
                                            short_digest(arm) + " riscv64=" + short_digest(riscv)));
  EXPECT_THAT(layout.replaced, SizeIs(1));
  // The same image once more changes nothing at all.
  const Json before = layout.index;
  EXPECT_EQ(layout.add(arm).index, before);
}

TEST(LayoutIndex, DoesNotDependOnTheOrderOfWriters) {
  std::vector<Image> images = {image_of("b:1"), image_of("b:1", "arm64", "v8"), image_of("a:1"),
                               image_of("c:2"), image_of("c:2", "riscv64")};
  std::vector<std::size_t> order = {0, 1, 2, 3, 4};
  std::string first;
  do {
    Layout layout;
    for (const std::size_t i : order) layout.add(images[i]);
    if (first.empty()) first = layout.index.dump();
    ASSERT_EQ(layout.index.dump(), first);
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_THAT(first, HasSubstr("\"b:1\""));
  EXPECT_THAT(first, HasSubstr("\"2\""));
}

// As `docker buildx build --output type=oci` writes it.
TEST(LayoutIndex, KeepsAttestationsOfWhatStays) {
  Layout layout;
  const Image amd = image_of("app:1"), arm = image_of("app:1", "arm64", "v8");
  for (const Image* image : {&amd, &arm}) {
    layout.put(kManifestType, Json::parse(image->manifest.bytes));
  }
  const auto attestation = [&](const Image& about) {
    Json descriptor = layout.put(kManifestType, {{"layers", {{{"about", about.platform}}}}});
    descriptor["platform"] = {{"architecture", "unknown"}, {"os", "unknown"}};
    descriptor["annotations"] = {{"vnd.docker.reference.type", "attestation-manifest"},
                                 {"vnd.docker.reference.digest", about.manifest.digest}};
    return descriptor;
  };
  const auto child = [](const Image& image, Json platform) {
    Json descriptor = descriptor_of(image.manifest);
    descriptor["platform"] = std::move(platform);
    return descriptor;
  };
  const Json amd_attestation = attestation(amd), arm_attestation = attestation(arm);
  const Json stranger = {{"mediaType", "application/x-unknown"}, {"digest", "sha256:00"}};
  const Json index = {{"schemaVersion", 2},
                      {"mediaType", kIndexType},
                      {"manifests",
                       {child(amd, {{"architecture", "amd64"}, {"os", "linux"}}),
                        child(arm, {{"architecture", "arm64"}, {"os", "linux"}}), amd_attestation,
                        arm_attestation, stranger}},
                      {"annotations", {{"made-by", "another tool"}}}};
  Json entry = layout.put(kIndexType, index);
  entry["annotations"] = {{"io.containerd.image.name", "docker.io/library/app:1"},
                          {"org.opencontainers.image.created", "2026-01-01T00:00:00Z"},
                          {"org.opencontainers.image.ref.name", "1"}};
  layout.manifests().push_back(entry);

  // Another platform: everything stays.
  const Image riscv = image_of("app:1", "riscv64");
  layout.add(riscv);
  ASSERT_THAT(layout.manifests(), SizeIs(1));
  EXPECT_EQ(layout.manifests()[0]["annotations"]["org.opencontainers.image.created"],
            "2026-01-01T00:00:00Z");
  Json document = layout.document(layout.manifests()[0]);
  EXPECT_EQ(document["annotations"]["made-by"], "another tool");
  ASSERT_THAT(document["manifests"], SizeIs(6));
  EXPECT_EQ(document["manifests"][2]["digest"], riscv.manifest.digest);
  EXPECT_EQ(document["manifests"][3], amd_attestation);
  EXPECT_EQ(document["manifests"][4], arm_attestation);
  EXPECT_EQ(document["manifests"][5], stranger);

  // A new amd64 image: what was attested about the old one goes with it, the rest stays. That the
  // other tool's arm64 lacks a variant makes it no other platform.
  layout.add(image_of("app:1", "amd64", "", "new"));
  const Image new_arm = image_of("app:1", "arm64", "v8", "new");
  document = layout.document(layout.manifests()[0]);
  ASSERT_THAT(document["manifests"], SizeIs(5));
  EXPECT_EQ(document["manifests"][3], arm_attestation);
  layout.add(new_arm);
  document = layout.document(layout.manifests()[0]);
  ASSERT_THAT(document["manifests"], SizeIs(4));
  EXPECT_EQ(document["manifests"][1]["digest"], new_arm.manifest.digest);
  EXPECT_EQ(document["manifests"][3], stranger);

  // The image that an attestation is about, once more: it stays true.
  Layout same;
  same.put(kManifestType, Json::parse(amd.manifest.bytes));
  Json its_entry = same.put(kIndexType, index);
  its_entry["annotations"] = entry["annotations"];
  same.manifests().push_back(its_entry);
  same.add(amd);
  EXPECT_EQ(same.manifests()[0], its_entry);
}

// skopeo and umoci write descriptors without platforms; the config knows.
TEST(LayoutIndex, AsksTheConfigForAMissingPlatform) {
  const Image amd = image_of("app:1"), arm = image_of("app:1", "arm64", "v8");
  const auto layout_with = [&](const Image& image) {
    Layout layout;
    layout.put(kConfigType, Json::parse(image.config.bytes));
    layout.put(kManifestType, Json::parse(image.manifest.bytes));
    Json entry = descriptor_of(image.manifest);
    entry["annotations"] = {{"org.opencontainers.image.ref.name", "docker.io/library/app:1"}};
    layout.manifests().push_back(entry);
    return layout;
  };
  const Image new_amd = image_of("app:1", "amd64", "", "new");
  EXPECT_THAT(layout_with(amd).add(new_amd).listing(),
              ElementsAre("docker.io/library/app:1: amd64=" + short_digest(new_amd)));
  EXPECT_THAT(layout_with(arm).add(new_amd).listing(),
              ElementsAre("docker.io/library/app:1: amd64=" + short_digest(new_amd) +
                          " arm64v8=" + short_digest(arm)));

  Layout sparse = layout_with(arm);
  sparse.manifests()[0]["digest"] = "sha256:" + std::string(64, '0');
  EXPECT_ERROR(sparse.add(amd), corrupt, HasSubstr("is missing"));
}

// image-layout.md lets several descriptors of index.json have one name, and Docker has media types
// of its own.
TEST(LayoutIndex, TakesSeveralDescriptorsOfOneNameTogether) {
  const Image amd = image_of("app:1"), arm = image_of("app:1", "arm64", "v8");
  const Image riscv = image_of("app:1", "riscv64");
  Layout layout;
  for (const Image* image : {&amd, &riscv}) layout.manifests().push_back(index_descriptor(*image));
  Json list = layout.put("application/vnd.docker.distribution.manifest.list.v2+json",
                         {{"schemaVersion", 2}, {"manifests", {index_descriptor(arm)}}});
  list["annotations"] = {{"io.containerd.image.name", "docker.io/library/app:1"}};
  layout.manifests().push_back(list);
  layout.add(amd);
  EXPECT_THAT(layout.listing(), ElementsAre("1: amd64=" + short_digest(amd) + " riscv64=" +
                                            short_digest(riscv) + " arm64v8=" + short_digest(arm)));
  EXPECT_EQ(layout.manifests()[0]["mediaType"], kIndexType);
  EXPECT_THAT(layout.replaced, SizeIs(3));
}

TEST(LayoutIndex, OtherToolsTagsStayTheirs) {
  Layout layout;
  const Json theirs = {{"mediaType", kManifestType},
                       {"digest", "sha256:00"},
                       {"annotations", {{"org.opencontainers.image.ref.name", "1"}}}};
  layout.manifests().push_back(theirs);
  layout.add(image_of("app:1"));
  ASSERT_THAT(layout.manifests(), SizeIs(2));
  EXPECT_EQ(layout.manifests()[0], theirs);
  EXPECT_EQ(layout.manifests()[1]["annotations"]["org.opencontainers.image.ref.name"], "app:1");
  EXPECT_THAT(layout.notes, ElementsAre(HasSubstr("LAYOUT:app:1")));
  EXPECT_THAT(layout.add(image_of("app:1", "amd64", "", "new")).notes, IsEmpty());
}

TEST(LayoutIndex, RefusesWhatIsNoImage) {
  Layout layout;
  Json chart = layout.put(kManifestType, {{"config", {{"mediaType", "application/x-chart"}}}});
  chart["annotations"] = {{"io.containerd.image.name", "docker.io/library/app:1"}};
  layout.manifests().push_back(chart);
  EXPECT_ERROR(layout.add(image_of("app:1")), refused,
               HasSubstr("lay: has something other than an image under the name app:1"));
  EXPECT_THAT(layout.add(image_of("app:2")).manifests(), SizeIs(2));

  Layout broken;
  Json index = broken.put(kIndexType, {{"manifests", 7}});
  index["annotations"] = chart["annotations"];
  broken.manifests().push_back(index);
  EXPECT_ERROR(broken.add(image_of("app:1")), malformed, HasSubstr("no list 'manifests'"));
}

}  // namespace
}  // namespace whittle::imagegen
