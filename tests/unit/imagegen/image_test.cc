// SPDX-License-Identifier: MIT
#include "imagegen/image.h"

#include <clocale>

#include "common/digest.h"
#include "common/elf.h"
#include "imagegen/stream.h"
#include "testing.h"

namespace whittle::imagegen {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string digest(ByteView bytes) { return "sha256:" + to_hex(sha256(bytes)); }

ImageSpec full_spec() {
  ImageSpec spec = small_spec();
  spec.architecture = "arm64";
  spec.variant = "v8";
  spec.files.push_back({"/etc/grüß/日本", to_bytes("ü"), 0600});
  spec.cmd = {"--port", "8080"};
  spec.env = {"B=2", "A=1"};
  spec.working_dir = "/srv/data/";
  spec.user = "1000:1001";
  spec.exposed_ports = {"8080", "53/udp"};
  spec.labels = {{"z", "1"}, {"a", "\"quoted\""}};
  spec.annotations = {{"org.opencontainers.image.version", "1.0"}};
  spec.tag = "docker.io/library/hello:1.0";
  spec.created = 1700000000;
  return spec;
}

TEST(Image, LayerHoldsTheFilesWithOneOwnerAndOneTime) {
  const auto entries = read_tar(build_image(full_spec()).layer.bytes);
  EXPECT_THAT(paths_of(entries),
              ElementsAre("app", "etc/", "etc/grüß/", "etc/grüß/日本", "srv/", "srv/data/"));
  for (const TarEntry& entry : entries) {
    EXPECT_EQ(entry.uid, 0);
    EXPECT_EQ(entry.gid, 0);
    EXPECT_EQ(entry.user, "");
    EXPECT_EQ(entry.group, "");
    EXPECT_EQ(entry.mtime, 1700000000);
    EXPECT_EQ(entry.is_folder, entry.path.ends_with('/'));
  }
  EXPECT_EQ(entries[0].mode, 0755u);
  EXPECT_EQ(entries[0].content, "not really a program\n");
  EXPECT_EQ(entries[1].mode, 0755u);
  EXPECT_EQ(entries[3].mode, 0600u);
  EXPECT_EQ(entries[3].content, "ü");
}

TEST(Image, NamesDoNotDependOnTheLocaleOfTheProcess) {
  ASSERT_STREQ(std::setlocale(LC_ALL, nullptr), "C");
  const Image in_c = build_image(full_spec());
  ASSERT_NE(std::setlocale(LC_ALL, "C.UTF-8"), nullptr);
  const Image in_utf8 = build_image(full_spec());
  std::setlocale(LC_ALL, "C");
  EXPECT_EQ(in_c.manifest.digest, in_utf8.manifest.digest);
}

// Composed and decomposed "é" are two names. Readers may normalise them, so this looks at the
// bytes.
TEST(TarWriter, NamesKeepTheirBytes) {
  std::string tar;
  TarWriter writer([&](ByteView piece) { tar += as_text(piece); }, 0);
  writer.add_file("\xc3\xa9", {}, 0644);
  writer.add_file("e\xcc\x81", {}, 0644);
  writer.finish();
  EXPECT_THAT(tar, HasSubstr("11 path=\xc3\xa9\n"));
  EXPECT_THAT(tar, HasSubstr("12 path=e\xcc\x81\n"));
}

TEST(Image, LongNamesKeepTheirLength) {
  ImageSpec spec = small_spec();
  // Beyond ustar's 100 and 255 bytes.
  const std::string deep = std::string(200, 'd') + '/' + std::string(200, 'e');
  spec.files.push_back({'/' + deep, {}, 0644});
  EXPECT_THAT(paths_of(read_tar(build_image(spec).layer.bytes)),
              ElementsAre("app", std::string(200, 'd') + '/', deep));
}

TEST(Image, ConfigSaysHowToStart) {
  const json config = json::parse(build_image(full_spec()).config.bytes);
  const json expected = json::parse(R"({
    "created": "2023-11-14T22:13:20Z", "architecture": "arm64", "variant": "v8", "os": "linux",
    "config": {
      "User": "1000:1001", "ExposedPorts": {"8080/tcp": {}, "53/udp": {}}, "Env": ["B=2", "A=1"],
      "Entrypoint": ["/app"], "Cmd": ["--port", "8080"], "WorkingDir": "/srv/data",
      "Labels": {"a": "\"quoted\"", "z": "1"}},
    "rootfs": {"type": "layers"},
    "history": [{"created": "2023-11-14T22:13:20Z", "created_by": "whittle: add /app, /etc/grüß/日本"}]
  })");
  json without_digest = config;
  without_digest["rootfs"].erase("diff_ids");
  EXPECT_EQ(without_digest, expected);
  EXPECT_EQ(config["rootfs"]["diff_ids"].size(), 1u);
}

TEST(Image, DocumentsNameEachOtherByDigest) {
  const Image image = build_image(full_spec());
  EXPECT_EQ(image.reference, "hello:1.0");
  EXPECT_EQ(image.platform, "linux/arm64/v8");
  EXPECT_EQ(image.created, 1700000000);
  const json manifest = json::parse(image.manifest.bytes);
  EXPECT_EQ(manifest["schemaVersion"], 2);
  EXPECT_EQ(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
  EXPECT_EQ(manifest["config"]["mediaType"], "application/vnd.oci.image.config.v1+json");
  EXPECT_EQ(manifest["config"]["digest"], digest(image.config.bytes));
  EXPECT_EQ(manifest["config"]["size"], image.config.bytes.size());
  ASSERT_EQ(manifest["layers"].size(), 1u);
  EXPECT_EQ(manifest["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
  EXPECT_EQ(manifest["layers"][0]["digest"], digest(image.layer.bytes));
  EXPECT_EQ(manifest["layers"][0]["size"], image.layer.bytes.size());
  EXPECT_EQ(manifest["annotations"]["org.opencontainers.image.created"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(manifest["annotations"]["org.opencontainers.image.version"], "1.0");
  for (const Blob* blob : {&image.layer, &image.config, &image.manifest}) {
    EXPECT_EQ(blob->digest, digest(blob->bytes));
  }
}

TEST(Image, AGivenCreatedAnnotationStays) {
  ImageSpec spec = small_spec();
  spec.annotations["org.opencontainers.image.created"] = "2001-02-03T04:05:06Z";
  const json manifest = json::parse(build_image(spec).manifest.bytes);
  EXPECT_EQ(manifest["annotations"]["org.opencontainers.image.created"], "2001-02-03T04:05:06Z");
}

TEST(Image, HistoryNamesAFewFiles) {
  ImageSpec spec = small_spec();
  for (const char* path : {"/b", "/c", "/d", "/e"}) spec.files.push_back({path, {}, 0644});
  const json config = json::parse(build_image(spec).config.bytes);
  EXPECT_EQ(config["history"][0]["created_by"], "whittle: add /app, /b, /c and 2 more");
}

TEST(Image, LayerHoldsOwnersFoldersAndLinks) {
  ImageSpec spec = small_spec();
  spec.files.push_back({"/etc/key", to_bytes("k"), 0400, {65532, 65532}});
  // Beyond what a ustar header has room for.
  spec.folders = {{"/data", 0750, {2147483647, 2147483646}}, {"/tmp", 01777}};
  spec.links = {{"/etc/grüß", "../日本", {1, 2}}};
  const auto entries = read_tar(build_image(spec).layer.bytes);
  ASSERT_THAT(paths_of(entries),
              ElementsAre("app", "data/", "etc/", "etc/grüß", "etc/key", "tmp/"));
  EXPECT_EQ(entries[0].uid, 0);
  EXPECT_EQ(entries[1].mode, 0750u);
  EXPECT_EQ(entries[1].uid, 2147483647);
  EXPECT_EQ(entries[1].gid, 2147483646);
  EXPECT_EQ(entries[2].uid, 0);
  EXPECT_EQ(entries[3].target, "../日本");
  EXPECT_EQ(entries[3].uid, 1);
  EXPECT_EQ(entries[3].gid, 2);
  EXPECT_EQ(entries[4].mode, 0400u);
  EXPECT_EQ(entries[4].uid, 65532);
  EXPECT_EQ(entries[5].mode, 01777u);
  EXPECT_TRUE(entries[5].is_folder);
}

// The uncompressed tar again, written by hand from the ustar format (POSIX.1-2017, pax): what
// libarchive makes of an entry is not its choice.
TEST(Image, TarIsPlainUstarWithoutPadding) {
  Bytes tar;
  TarWriter writer([&](ByteView piece) { tar.insert(tar.end(), piece.begin(), piece.end()); }, 8);
  writer.add_file("app", as_bytes("hello"), 0755);
  writer.finish();

  Bytes header(512, 0);
  const auto put = [&](std::size_t at, std::string_view text) {
    std::copy(text.begin(), text.end(), header.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, "app");
  put(100, "000755 ");
  put(108, "000000 ");
  put(116, "000000 ");
  put(124, "00000000005 ");
  put(136, "00000000010 ");
  put(148, "        ");
  put(156, "0");
  put(257, std::string_view("ustar\00000", 8));
  put(329, "000000 ");
  put(337, "000000 ");
  unsigned sum = 0;
  for (const std::uint8_t byte : header) sum += byte;
  char text[9];
  std::snprintf(text, sizeof text, "%06o", sum);
  put(148, std::string_view(text, 6));
  header[154] = 0;
  header[155] = ' ';

  Bytes expected = header;
  put(0, "hello");
  expected.insert(expected.end(), {'h', 'e', 'l', 'l', 'o'});
  expected.resize(1024 + 1024, 0);  // content rounded up to 512, two empty blocks
  EXPECT_EQ(tar, expected);
}

// These digests must never change for the same spec: they are how an image is recognised. The
// layer's own digest also depends on the compressor's version and is therefore not among them.
TEST(Image, GoldenDigests) {
  const Image small = build_image(small_spec());
  EXPECT_EQ(small.diff_id,
            "sha256:89953d7c5032274706f1091ea2a9a750fbbb9e41d4ecfbef4ada7dd3ed157262");
  EXPECT_EQ(small.layer_tar_size, 2048u);
  EXPECT_EQ(small.config.digest,
            "sha256:c888739e82dbf2c1df1428bb121ec8c81b290e708fc99eec09395cd8cdfddc2b");
  const Image full = build_image(full_spec());
  EXPECT_EQ(full.diff_id,
            "sha256:175c9c3e2d95bad7f1448e38ed455265d6f98519817eda8ee8090445a9ddf298");
  EXPECT_EQ(full.config.digest,
            "sha256:65037ba43454f45aa2b65d3ee294a88de87aee705289447bb2f4fe18c21dc237");
}

TEST(Image, SameSpecSameBytes) {
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    ImageSpec spec = full_spec();
    spec.compression = compression;
    const Image one = build_image(spec), two = build_image(spec);
    EXPECT_EQ(one.layer.bytes, two.layer.bytes);
    EXPECT_EQ(one.config.bytes, two.config.bytes);
    EXPECT_EQ(one.manifest.bytes, two.manifest.bytes);
  }
}

TEST(Image, BothCompressionsHoldTheSameTar) {
  ImageSpec spec = full_spec();
  const Image gzip = build_image(spec);
  spec.compression = Compression::zstd;
  const Image zstd = build_image(spec);
  EXPECT_EQ(gzip.diff_id, zstd.diff_id);
  EXPECT_EQ(gzip.config.digest, zstd.config.digest);
  EXPECT_EQ(zstd.layer.media_type, "application/vnd.oci.image.layer.v1.tar+zstd");
  EXPECT_EQ(paths_of(read_tar(gzip.layer.bytes)), paths_of(read_tar(zstd.layer.bytes)));
  // gzip's header (RFC 1952): magic, deflate, no flags, time 0, slowest compressor.
  EXPECT_THAT(Bytes(gzip.layer.bytes.begin(), gzip.layer.bytes.begin() + 9),
              ElementsAre(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2));
  EXPECT_THAT(Bytes(zstd.layer.bytes.begin(), zstd.layer.bytes.begin() + 4),
              ElementsAre(0x28, 0xb5, 0x2f, 0xfd));
}

TEST(Image, AnImageOfNothingButFoldersAndAnEmptyFile) {
  ImageSpec spec = small_spec();
  spec.files[0].content.clear();
  const auto entries = read_tar(build_image(spec).layer.bytes);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].content, "");
}

TEST(LayerSize, IsWhatTheImagesLayerComesTo) {
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    ImageSpec spec = small_spec();
    spec.compression = compression;
    spec.working_dir = "/srv/data";
    spec.created = 1700000000;
    spec.files.push_back({"/a/file", to_bytes("that comes before it"), 0644});
    const Bytes program(100000, 'x');
    const std::uint64_t size = layer_size(spec, program, compression);
    EXPECT_LT(layer_size(spec, {}, compression), size);
    spec.files[0].content = program;
    EXPECT_EQ(size, build_image(spec).layer.bytes.size());
  }
}

TEST(Platform, IsNamedAsGoDoes) {
  EXPECT_EQ(platform_of(elf::kMachineX86_64, true, false, "x").architecture, "amd64");
  EXPECT_EQ(platform_of(elf::kMachineAarch64, true, false, "x").architecture, "arm64");
  EXPECT_EQ(platform_of(elf::kMachineAarch64, true, false, "x").variant, "v8");
  EXPECT_EQ(platform_of(elf::kMachineRiscv, true, false, "x").architecture, "riscv64");
  EXPECT_EQ(platform_of(elf::kMachinePpc64, true, false, "x").architecture, "ppc64le");
  EXPECT_EQ(platform_of(elf::kMachinePpc64, true, true, "x").architecture, "ppc64");
  EXPECT_EQ(platform_of(elf::kMachineS390, true, true, "x").architecture, "s390x");
  EXPECT_EQ(platform_of(elf::kMachineMips, false, true, "x").architecture, "mips");
  // The x32 ABI, a big-endian aarch64 and an unknown machine have no name.
  EXPECT_ERROR(platform_of(elf::kMachineX86_64, false, false, "a/b"), refused,
               testing::AllOf(StartsWith("a/b: is for ELF machine 62 (32 bits, little-endian)")));
  EXPECT_ERROR(platform_of(elf::kMachineAarch64, true, true, "x"), refused,
               HasSubstr("big-endian"));
  EXPECT_ERROR(platform_of(4711, true, false, "x"), refused, HasSubstr("4711"));
}

}  // namespace
}  // namespace whittle::imagegen
