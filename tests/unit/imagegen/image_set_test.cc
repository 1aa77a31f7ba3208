// SPDX-License-Identifier: MIT
#include "imagegen/image_set.h"

#include <fstream>

#include "tests/unit/common/mutate.h"
#include "tests/unit/imagegen/reading.h"

namespace whittle::imagegen {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// An archive as `docker save` writes it, of layers from the lowest up. With a config, layers are
// held against it.
Bytes docker_archive(const std::vector<Bytes>& layers, bool has_config = true,
                     std::vector<std::pair<std::string, std::string>> more = {}) {
  std::vector<std::pair<std::string, std::string>> files;
  json names = json::array();
  for (std::size_t i = 0; i < layers.size(); i++) {
    files.emplace_back(std::to_string(i) + "/layer.tar", text(layers[i]));
    names.push_back(files.back().first);
  }
  json image = {{"RepoTags", {"app:1"}}, {"Layers", names}};
  if (has_config) {
    const std::string config = LayoutFiles::config(layers).dump();
    const std::string name = digest_of(as_bytes(config)).substr(7) + ".json";
    files.emplace_back(name, config);
    image["Config"] = name;
  }
  files.emplace_back("manifest.json", json::array({image}).dump());
  files.insert(files.end(), more.begin(), more.end());
  return tar_of(files);
}

class ImageSetTest : public ReadingTest {
 protected:
  std::vector<std::string> walk_layers(const std::vector<Bytes>& layers) {
    return walk(put("image.tar", docker_archive(layers)));
  }
};

TEST_F(ImageSetTest, AreOfEveryLayer) {
  EXPECT_THAT(walk_layers({tar_of({{"bin/a", program("lower")}, {"bin/text", "no program"}}),
                           tar_of({{"bin/b", program("upper")}, {"x", program("")}})}),
              ElementsAre("/bin/a=lower", "/bin/b=upper", "/x="));
  EXPECT_THAT(problems_, IsEmpty());
  ASSERT_THAT(images_->images(), SizeIs(1));
  const FoundImage& image = images_->images()[0];
  EXPECT_EQ(image.platform, "linux/amd64");
  EXPECT_THAT(image.tags, ElementsAre("app:1"));
  EXPECT_THAT(image.run.entrypoint, ElementsAre("/app"));
}

TEST_F(ImageSetTest, OfWhatWhittleWrites) {
  ImageSpec spec = small_spec();
  spec.files[0].content = to_bytes(program("ours"));
  spec.cmd = {"-v"};
  spec.env = {"A=b"};
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    spec.compression = compression;
    const Image image = build_image(spec);
    write_archive(image, folder_ / "image.tar");
    EXPECT_THAT(walk(folder_ / "image.tar"), ElementsAre("/app=ours"));
    // It has an index.json and a manifest.json, which name the same image.
    EXPECT_THAT(images_->images(), SizeIs(1));
    const fs::path layout = folder_ / std::string(name(compression));
    write_layout(image, layout);
    EXPECT_THAT(walk(layout), ElementsAre("/app=ours"));
    EXPECT_THAT(problems_, IsEmpty());
    const FoundImage& found = images_->images()[0];
    EXPECT_EQ(found.digest, image.manifest.digest);
    EXPECT_THAT(found.tags, ElementsAre("1.0"));
    EXPECT_TRUE(found.is_config_known);
    EXPECT_THAT(found.run.cmd, ElementsAre("-v"));
    EXPECT_THAT(found.run.env, ElementsAre("A=b"));
    EXPECT_EQ(found.run.user, "65532:65532");
    EXPECT_EQ(found.run.working_dir, "/");
  }
}

TEST_F(ImageSetTest, LabelsTellImagesApart) {
  LayoutFiles layout;
  const auto labels = [&](const std::vector<json>& manifests) {
    layout.index(manifests);
    std::vector<std::string> out;
    const auto set = ImageSet::open(put_folder(layout));
    for (const auto& image : set->images()) out.push_back(image.label);
    return out;
  };
  json one = layout.image({tar_of({{"app", program("1")}})});
  json two = layout.image({tar_of({{"app", program("2")}})});
  const auto named = [](json descriptor, const char* tag, const char* machine) {
    if (*tag != '\0') descriptor["annotations"]["org.opencontainers.image.ref.name"] = tag;
    if (*machine != '\0') descriptor["platform"] = {{"os", "linux"}, {"architecture", machine}};
    return descriptor;
  };
  EXPECT_THAT(labels({named(one, "v1", "amd64")}), ElementsAre(""));
  EXPECT_THAT(labels({named(one, "v1", ""), named(two, "v2", "")}), ElementsAre("v1", "v2"));
  // Two names of one image are one image.
  EXPECT_THAT(labels({named(one, "v1", ""), named(one, "v2", "")}), ElementsAre(""));
  EXPECT_THAT(ImageSet::open(folder_ / "layout")->images()[0].tags, ElementsAre("v1", "v2"));
  EXPECT_THAT(labels({named(one, "", ""), named(two, "", "")}),
              ElementsAre("linux/amd64 " + one["digest"].get<std::string>().substr(0, 19),
                          "linux/amd64 " + two["digest"].get<std::string>().substr(0, 19)));
  json config = LayoutFiles::config({tar_of({{"app", program("1")}})});
  config["architecture"] = "arm64";
  json arm = layout.image({tar_of({{"app", program("1")}})}, config);
  EXPECT_THAT(labels({named(one, "v1", "amd64"), named(arm, "v1", "arm64")}),
              ElementsAre("linux/amd64", "linux/arm64"));
  EXPECT_THAT(
      labels({named(one, "v1", "amd64"), named(arm, "v1", "arm64"), named(two, "v2", "amd64")}),
      ElementsAre("v1 linux/amd64", "v1 linux/arm64", "v2 linux/amd64"));
}

TEST_F(ImageSetTest, CompressedArchivesAreRead) {
  const Bytes archive =
      docker_archive({tar_of({{"a", program("content")}}), tar_of({{"b", program("more")}})});
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    EXPECT_THAT(walk(put("image.tar.x", compressed(archive, compression))),
                ElementsAre("/a=content", "/b=more"));
    EXPECT_THAT(problems_, IsEmpty());
    EXPECT_TRUE(images_->is_sequential());
  }
}

// The first 512 bytes are all that is asked for before it is known to be a tar.
TEST_F(ImageSetTest, LargeCompressedArchivesAreRead) {
  std::string noise;
  for (unsigned i = 0, x = 1; i < 200'000; i++)
    noise += static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
  const Bytes archive = docker_archive({tar_of({{"a", program("1")}, {"noise", noise}})});
  EXPECT_THAT(walk(put("large.tar.gz", compressed(archive, Compression::gzip))),
              ElementsAre("/a=1"));
}

TEST_F(ImageSetTest, OtherFilesAreNoImages) {
  for (const fs::path& path :
       {put("text", to_bytes("text")), put("empty", {}), put("other.tar", tar_of({{"a", "b"}})),
        put("x.gz", compressed(to_bytes("no tar"), Compression::gzip)),
        put("cut.gz", to_bytes("\x1f\x8b\x08")), folder_ / "missing", fs::path("/dev/null"),
        put("web/manifest.json", to_bytes(R"({"name": "a web application"})")).parent_path(),
        put("web2/index.json", to_bytes("[1]")).parent_path()}) {
    EXPECT_EQ(ImageSet::open(path), nullptr) << path;
  }
}

// ---- What is named by a digest is held against it.

TEST_F(ImageSetTest, ALayerIsTheOneThatIsNamed) {
  const Bytes good = tar_of({{"app", program("good")}});
  const Bytes bad = tar_of({{"app", program("evil")}});
  ASSERT_EQ(good.size(), bad.size());
  LayoutFiles layout;
  layout.index({layout.image({good})});
  layout.files["blobs/sha256/" + digest_of(good).substr(7)] = bad;
  for (const fs::path& path : {put_folder(layout), put_archive(layout)}) {
    EXPECT_THAT(walk(path), IsEmpty());
    EXPECT_THAT(problems_, ElementsAre(HasSubstr("its digest is " + digest_of(bad) + ", not " +
                                                 digest_of(good))));
  }
  layout.files["blobs/sha256/" + digest_of(good).substr(7)] =
      tar_of({{"app", program(std::string(1000, 'x'))}});
  EXPECT_THAT(walk(put_folder(layout)), IsEmpty());
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("its size is ")));
}

TEST_F(ImageSetTest, ALayerIsTheOneThatTheConfigNames) {
  const Bytes good = tar_of({{"app", program("good")}});
  const Bytes bad = tar_of({{"app", program("evil")}});
  LayoutFiles layout;
  layout.index({layout.image({bad}, LayoutFiles::config({good}))});
  EXPECT_THAT(walk(put_folder(layout)), IsEmpty());
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("its digest before compression is ")));
  // Docker's older archives have no other digest.
  std::vector<std::pair<std::string, std::string>> files;
  const std::string config = LayoutFiles::config({good}).dump();
  const std::string name = digest_of(as_bytes(config)).substr(7) + ".json";
  const json manifest = {{{"Config", name}, {"Layers", {"0/layer.tar"}}}};
  EXPECT_THAT(walk(put("docker.tar", tar_of({{name, config},
                                             {"0/layer.tar", text(bad)},
                                             {"manifest.json", manifest.dump()}}))),
              IsEmpty());
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("its digest before compression is ")));
}

TEST_F(ImageSetTest, DocumentsAreTheOnesThatAreNamed) {
  int number = 0;
  const auto damaged = [&](const std::function<void(LayoutFiles&, json&)>& damage) {
    LayoutFiles layout;
    json other = layout.image({tar_of({{"other", program("2")}})});
    json image = layout.image({tar_of({{"app", program("1")}})});
    damage(layout, image);
    layout.index({image, other});
    return walk(put_folder(layout, "layout" + std::to_string(number++)));
  };
  const auto blob_of = [](LayoutFiles& layout, const json& descriptor) -> Bytes& {
    return layout.files.at("blobs/sha256/" + descriptor["digest"].get<std::string>().substr(7));
  };
  // A damaged manifest is the problem of its image alone.
  EXPECT_THAT(
      damaged([&](LayoutFiles& layout, json& image) { blob_of(layout, image).push_back(' '); }),
      ElementsAre(HasSubstr("/other=2")));
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("bytes, not ")));
  EXPECT_THAT(damaged([&](LayoutFiles& layout, json& image) { blob_of(layout, image)[1] = ' '; }),
              ElementsAre(HasSubstr("/other=2")));
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("is not what its digest says")));
  EXPECT_THAT(damaged([&](LayoutFiles&, json& image) { image["size"] = 5; }),
              ElementsAre(HasSubstr("/other=2")));
  // Without its config, the files of an image are known, but not how it starts.
  EXPECT_THAT(damaged([&](LayoutFiles& layout, json& image) {
                const json manifest = json::parse(blob_of(layout, image));
                blob_of(layout, manifest["config"])[1] = ' ';
              }),
              UnorderedElementsAre(HasSubstr("/app=1"), HasSubstr("/other=2")));
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("the config")));
  EXPECT_FALSE(images_->images()[0].is_config_known);
}

TEST_F(ImageSetTest, ALayerIsReadToItsVeryEnd) {
  const Bytes tar = tar_of({{"app", program("1")}});
  LayoutFiles layout;
  const auto walk_blob = [&](const Bytes& blob, const Bytes& unpacked) {
    const json manifest = {{"schemaVersion", 2},
                           {"config", layout.blob(LayoutFiles::config({unpacked}), "")},
                           {"layers", json::array({layout.blob(blob, "")})}};
    layout.index({layout.blob(manifest, "")});
    return walk(put_folder(layout, "l" + std::to_string(layout.files.size())));
  };
  const auto joined = [](Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  const Bytes gzip = compressed(tar, Compression::gzip), zstd = compressed(tar, Compression::zstd);
  EXPECT_THAT(walk_blob(gzip, tar), ElementsAre("/app=1"));
  EXPECT_THAT(walk_blob(zstd, tar), ElementsAre("/app=1"));
  // Several members, of which the second may have nothing in it, as the footer of eStargz.
  const Bytes half(tar.begin(), tar.begin() + 700), rest(tar.begin() + 700, tar.end());
  for (const Compression one : {Compression::gzip, Compression::zstd}) {
    EXPECT_THAT(
        walk_blob(joined(joined(compressed(half, one), compressed(rest, one)), compressed({}, one)),
                  tar),
        ElementsAre("/app=1"));
  }
  EXPECT_THAT(
      walk_blob(joined(to_bytes(std::string("\x5f\x2a\x4d\x18\x03\0\0\0abc", 11)), zstd), tar),
      ElementsAre("/app=1"));
  // A frame that decoders skip, as zstd:chunked has it.
  EXPECT_THAT(
      walk_blob(joined(zstd, to_bytes(std::string("\x50\x2a\x4d\x18\x03\0\0\0abc", 11))), tar),
      ElementsAre("/app=1"));
  EXPECT_THAT(problems_, IsEmpty());
  // The padding of tapes is no data.
  const Bytes padded = joined(tar, Bytes(10240));
  EXPECT_THAT(walk_blob(padded, padded), ElementsAre("/app=1"));

  // The digest fits all of these: only the reader can find what is wrong.
  const auto refused = [&](const Bytes& blob, const Bytes& unpacked, const char* why) {
    EXPECT_THAT(walk_blob(blob, unpacked), IsEmpty());
    EXPECT_THAT(problems_, ElementsAre(HasSubstr(why)));
  };
  refused(joined(gzip, to_bytes("more")), tar, "4 bytes follow the end of the compressed data");
  refused(joined(gzip, Bytes(512)), tar, "512 bytes follow the end");
  refused(joined(zstd, to_bytes("more")), tar, "");
  refused(joined(tar, to_bytes("more")), joined(tar, to_bytes("more")), "followed by other data");
  const Bytes twice = joined(tar, tar_of({{"hidden", program("2")}}));
  refused(twice, twice, "followed by other data");
  refused(compressed(twice, Compression::gzip), twice, "followed by other data");
  refused(Bytes(gzip.begin(), gzip.end() - 3), tar, "is cut short: the gzip data has no end");
  refused(Bytes(zstd.begin(), zstd.end() - 3), tar, "is cut short: the zstd data has no end");
  // The checks of gzip itself: CRC-32 and size.
  for (const std::size_t from_end : {5, 1}) {
    Bytes wrong = gzip;
    wrong[wrong.size() - from_end] ^= 1;
    refused(wrong, tar, "has damaged gzip data: incorrect");
  }
  const Bytes cut(tar.begin(), tar.begin() + 600);
  refused(cut, cut, "Truncated tar");
  refused(compressed(cut, Compression::gzip), cut, "Truncated tar");
  refused(to_bytes("no tar at all"), to_bytes("no tar at all"), "cannot read the archive");
  // Compressed twice: no engine unpacks it twice.
  refused(compressed(gzip, Compression::gzip), tar, "cannot read the archive");
}

// ---- Nothing is dropped without a word.

TEST_F(ImageSetTest, EveryImageIsThere) {
  LayoutFiles layout;
  std::vector<json> manifests;
  for (int i = 0; i < 300; i++) {
    manifests.push_back(layout.image({tar_of({{"app", program(std::to_string(i))}})}));
  }
  layout.index(manifests);
  for (const fs::path& path : {put_folder(layout), put_archive(layout)}) {
    const auto found = walk(path);
    ASSERT_THAT(found, SizeIs(300));
    EXPECT_THAT(found.back(), HasSubstr("/app=299"));
  }
}

TEST_F(ImageSetTest, MoreImagesThanAreReadAreRefused) {
  const Bytes layer = tar_of({{"app", program("")}});
  json images = json::array();
  for (int i = 0; i < 10'001; i++) {
    images.push_back({{"RepoTags", {"a:" + std::to_string(i)}}, {"Layers", {"layer.tar"}}});
  }
  const auto archive = [&] {
    return put("many.tar", tar_of({{"layer.tar", text(layer)}, {"manifest.json", images.dump()}}));
  };
  EXPECT_ERROR(ImageSet::open(archive()), refused, HasSubstr("more than 10000 images"));
  images.erase(images.begin());
  EXPECT_THAT(ImageSet::open(archive())->images(), SizeIs(10'000));
}

TEST_F(ImageSetTest, IndexesMayBeInsideOfIndexes) {
  LayoutFiles layout;
  json inner = layout.image({tar_of({{"app", program("deep")}})});
  const auto nest = [&] {
    inner = layout.blob(json{{"schemaVersion", 2}, {"manifests", json::array({inner})}},
                        LayoutFiles::kIndex);
  };
  for (int i = 0; i < 16; i++) nest();
  layout.index({inner});
  EXPECT_THAT(walk(put_folder(layout)), ElementsAre("/app=deep"));
  nest();
  layout.index({inner});
  EXPECT_ERROR(ImageSet::open(put_folder(layout)), refused, HasSubstr("more than 16 deep"));
}

TEST_F(ImageSetTest, WhatIsAttachedToAnImageIsNone) {
  LayoutFiles layout;
  const json image = layout.image({tar_of({{"app", program("1")}})});
  json statement = layout.blob(
      json{{"schemaVersion", 2},
           {"config", layout.blob(json::object(), LayoutFiles::kConfig)},
           {"layers", json::array({layout.blob(json::object(), "application/vnd.in-toto+json")})}},
      LayoutFiles::kManifest);
  statement["platform"] = {{"architecture", "unknown"}, {"os", "unknown"}};
  layout.index({image, statement});
  EXPECT_THAT(walk(put_folder(layout)), ElementsAre("/app=1"));
  EXPECT_THAT(images_->images(), SizeIs(1));
  // But one that says so and has files is looked into.
  json hidden = layout.image({tar_of({{"app", program("hidden")}})});
  hidden["platform"] = statement["platform"];
  layout.index({image, hidden});
  EXPECT_THAT(walk(put_folder(layout)), SizeIs(2));
}

TEST_F(ImageSetTest, LayersOfUnknownTypesAreProblems) {
  LayoutFiles layout;
  const Bytes tar = tar_of({{"app", program("1")}});
  const json manifest = {
      {"schemaVersion", 2},
      {"config", layout.blob(LayoutFiles::config({}), LayoutFiles::kConfig)},
      {"layers",
       {layout.blob(tar, LayoutFiles::kLayer),
        layout.blob(to_bytes("x"), "application/vnd.oci.image.layer.v1.tar+encrypted")}}};
  layout.index({layout.blob(manifest, LayoutFiles::kManifest)});
  walk(put_folder(layout));
  EXPECT_THAT(problems_,
              testing::Contains(HasSubstr("tar+encrypted, which whittle does not read")));
}

TEST_F(ImageSetTest, ImagesThatAreNotThereAreNamed) {
  LayoutFiles layout;
  const json image = layout.image({tar_of({{"app", program("1")}})});
  json gone = {{"digest", digest_of(to_bytes("gone"))}, {"size", 4}};
  gone["platform"] = {{"os", "linux"}, {"architecture", "arm64"}};
  layout.index({gone, image});
  EXPECT_THAT(walk(put_folder(layout)), ElementsAre("linux/amd64/app=1"));
  EXPECT_TRUE(images_->images()[0].is_absent);
  EXPECT_EQ(images_->images()[0].platform, "linux/arm64");
}

TEST_F(ImageSetTest, BothIndexAndManifestCount) {
  const auto layer = [](const char* mark) { return tar_of({{"app", program(mark)}}); };
  LayoutFiles layout;
  layout.index({layout.image({layer("index")})});
  const std::string config = LayoutFiles::config({layer("docker")}).dump();
  const std::string name = digest_of(as_bytes(config)).substr(7) + ".json";
  layout.files[name] = to_bytes(config);
  layout.files["docker.tar"] = layer("docker");
  layout.files["manifest.json"] = to_bytes(
      json{{{"Config", name}, {"RepoTags", {"app:1"}}, {"Layers", {"docker.tar"}}}}.dump());
  for (const fs::path& path : {put_folder(layout), put_archive(layout)}) {
    EXPECT_THAT(walk(path),
                UnorderedElementsAre(HasSubstr("/app=index"), HasSubstr("/app=docker")));
  }
}

// The two name one image by its config, and layers of their own: engines read one or the other.
TEST_F(ImageSetTest, BothAreReadWhereTheirLayersDiffer) {
  LayoutFiles layout;
  const Bytes good = tar_of({{"app", program("good")}}), evil = tar_of({{"app", program("evil")}});
  layout.index({layout.image({good})});
  const std::string config = digest_of(to_bytes(LayoutFiles::config({good}).dump())).substr(7);
  const auto describe = [&](const std::string& layer) {
    layout.files["manifest.json"] =
        to_bytes(json::array({{{"Config", "blobs/sha256/" + config}, {"Layers", {layer}}}}).dump());
    return put_archive(layout);
  };
  EXPECT_THAT(walk(describe("blobs/" + digest_of(good).replace(6, 1, "/"))), SizeIs(1));
  EXPECT_THAT(problems_, IsEmpty());
  layout.files["evil.tar"] = evil;
  EXPECT_THAT(walk(describe("evil.tar")), SizeIs(1));
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("is not the layer that the image names")));
  walk(describe("blobs/sha256/" + std::string(64, '0')));
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("has no blobs/sha256/0000")));
}

TEST_F(ImageSetTest, SkopeosFoldersAreRead) {
  const Bytes layer = compressed(tar_of({{"app", program("dir")}}), Compression::gzip);
  const Bytes config = to_bytes(R"({"architecture": "arm64", "os": "linux"})");
  const auto blob = [&](const Bytes& bytes, const std::string& suffix = "") {
    put("dir/" + digest_of(bytes).substr(7) + suffix, bytes);
    return json{{"digest", digest_of(bytes)}, {"size", bytes.size()}};
  };
  const json manifest = {
      {"schemaVersion", 2}, {"config", blob(config)}, {"layers", json::array({blob(layer)})}};
  put("dir/version", to_bytes("Directory Transport Version: 1.1\n"));
  put("dir/manifest.json", to_bytes(manifest.dump()));
  EXPECT_THAT(walk(folder_ / "dir"), ElementsAre("/app=dir"));
  EXPECT_EQ(images_->images()[0].platform, "linux/arm64");
  // Of several platforms: `skopeo copy --all`.
  put("dir/manifest.json",
      to_bytes(json{{"schemaVersion", 2},
                    {"manifests", json::array({blob(to_bytes(manifest.dump()), ".manifest.json")})}}
                   .dump()));
  EXPECT_THAT(walk(folder_ / "dir"), ElementsAre("/app=dir"));
}

TEST_F(ImageSetTest, NamesInArchivesAreUnique) {
  const Bytes layer = tar_of({{"a", program("1")}});
  for (const char* other : {"manifest.json", "./manifest.json", "/manifest.json"}) {
    Bytes archive = raw_tar({{"0/layer.tar", '0', text(layer)},
                             {"manifest.json", '0', R"([{"Layers": ["0/layer.tar"]}])"},
                             {other, '0', R"([{"Layers": []}])"}});
    EXPECT_ERROR(ImageSet::open(put("double.tar", archive)), corrupt,
                 HasSubstr("several files of the name manifest.json"));
  }
  // Links are followed, as older archives have them.
  EXPECT_THAT(
      walk(put("link.tar", raw_tar({{"0/layer.tar", '0', text(layer)},
                                    {"1/layer.tar", '2', "", "../0/layer.tar"},
                                    {"2/layer.tar", '1', "", "1/layer.tar"},
                                    {"manifest.json", '0', R"([{"Layers": ["2/layer.tar"]}])"}}))),
      ElementsAre("/a=1"));
  EXPECT_THAT(walk(put("loop.tar", raw_tar({{"l", '2', "", "l"},
                                            {"manifest.json", '0', R"([{"Layers": ["l"]}])"}}))),
              IsEmpty());
  EXPECT_THAT(problems_, ElementsAre("has no l"));
}

TEST_F(ImageSetTest, NamesStayInTheFolder) {
  put("outside.tar", tar_of({{"a", program("1")}}));
  put("in/oci-layout", to_bytes("{}"));
  put("in/manifest.json", to_bytes(R"([{"Layers": ["../outside.tar"]}])"));
  EXPECT_THAT(walk(folder_ / "in"), IsEmpty());
  EXPECT_THAT(problems_, ElementsAre("has no ../outside.tar"));
  // An absolute name is one in the folder.
  const std::string outside = (folder_ / "outside.tar").native();
  put("in/manifest.json", to_bytes(R"([{"Layers": [")" + outside + R"("]}])"));
  EXPECT_THAT(walk(folder_ / "in"), IsEmpty());
  EXPECT_THAT(problems_, ElementsAre("has no " + outside));
}

// What is announced is looked at before anything is read.
TEST_F(ImageSetTest, LayersOfAnotherSizeAreNotRead) {
  LayoutFiles layout;
  const Bytes layer = tar_of({{"app", program("1")}});
  layout.index({layout.image({layer})});
  const fs::path path = put_folder(layout);
  fs::resize_file(path / "blobs/sha256" / digest_of(layer).substr(7), std::uintmax_t{1} << 42);
  EXPECT_THAT(walk(path), IsEmpty());
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("its size is 4398046511104, not ")));
  // Without a claimed size a limit applies.
  put("docker/manifest.json", to_bytes(R"([{"Layers": ["layer.tar"]}])"));
  put("docker/layer.tar", layer);
  fs::resize_file(folder_ / "docker/layer.tar", std::uintmax_t{1} << 42);
  EXPECT_THAT(walk(folder_ / "docker"), IsEmpty());
  EXPECT_THAT(problems_,
              ElementsAre(HasSubstr("more than the 68719476736 that are read of a layer")));
}

TEST_F(ImageSetTest, ManyLayersAreRefused) {
  json images = json::array();
  for (int i = 0; i < 201; i++) {
    images.push_back({{"RepoTags", {"a:" + std::to_string(i)}}, {"Layers", json::array()}});
    for (int j = 0; j < 500; j++) images.back()["Layers"].push_back("l");
  }
  EXPECT_ERROR(ImageSet::open(put("many.tar", tar_of({{"manifest.json", images.dump()}}))), refused,
               HasSubstr("more than 100000 in all images"));
}

TEST_F(ImageSetTest, BrokenDescriptionsAreErrors) {
  const auto fails = [&](const std::string& manifest, const char* message) {
    const fs::path path = put("image.tar", tar_of({{"manifest.json", manifest}}));
    EXPECT_ERROR(walk(path), corrupt, HasSubstr(message));
  };
  fails("{", "not a JSON list");
  fails("{}", "not a JSON list");
  fails("[]", "has no image");
  fails("[1]", "not a list of objects");
  fails(R"([{"Layers": 1}])", "lists no Layers");
  fails(R"([{"Layers": [1]}])", "is not a list of texts");
  const auto index_fails = [&](const std::string& index, const char* message) {
    const fs::path path = put("image.tar", tar_of({{"index.json", index}}));
    EXPECT_ERROR(walk(path), corrupt, HasSubstr(message));
  };
  index_fails("[]", "not a JSON object");
  index_fails(R"({"manifests": {}})", "lists no manifests");
  index_fails(R"({"manifests": []})", "has no image");
  index_fails(R"({"manifests": [1]})", "is not described by an object");
  index_fails(R"({"manifests": [{"digest": "sha256:../../etc"}]})", "is not a digest");
  index_fails(R"({"manifests": [{"digest": "sha256:00"}]})", "is not a digest");
  const std::string digest = "sha256:" + std::string(64, '0');
  index_fails(R"({"manifests": [{"digest": ")" + digest + R"("}]})", "has no blobs/sha256/00");
  index_fails(R"({"manifests": [{"digest": ")" + digest + R"(", "size": -1}]})", "not a number");
  EXPECT_ERROR(walk(put("image.tar",
                        tar_of({{"index.json", R"({"manifests": [{"digest": "sha512:00"}]})"}}))),
               refused, HasSubstr("SHA-512"));
  EXPECT_ERROR(walk(put("image.tar", tar_of({{"oci-layout", "{}"}}))), corrupt,
               HasSubstr("no index.json"));
  EXPECT_THAT(walk(put("image.tar", tar_of({{"manifest.json", R"([{"Layers": ["gone"]}])"}}))),
              IsEmpty());
  EXPECT_THAT(problems_, ElementsAre("has no gone"));
}

TEST_F(ImageSetTest, ADamagedArchiveIsAnErrorAndNotAnotherFile) {
  Bytes archive = docker_archive({tar_of({{"a", program("1")}})});
  archive.resize(archive.size() - 3000);
  EXPECT_ERROR(ImageSet::open(put("cut.tar", archive)), corrupt, HasSubstr("cannot read"));
}

TEST_F(ImageSetTest, SurvivesDamage) {
  const Bytes packed = compressed(tar_of({{"a", program(std::string(3000, 'a'))}, {"b/.wh.c", ""}}),
                                  Compression::gzip);
  for (const Bytes& original :
       {docker_archive({tar_of({{"a", program("x")}}), packed}, false), packed}) {
    test::expect_survives(original, 250, [&](ByteView bytes) {
      const fs::path path = folder_ / "image.tar";
      std::ofstream(path, std::ios::binary)
          .write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
      try {
        walk(path);
      } catch (const Error& error) {
        EXPECT_THAT(name(error.kind()),
                    testing::AnyOf(name(ErrorKind::corrupt), name(ErrorKind::refused)))
            << error.what();
      }
    });
  }
}

}  // namespace
}  // namespace whittle::imagegen
