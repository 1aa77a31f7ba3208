// SPDX-License-Identifier: MIT
//
// The two sinks: what they write, and what they leave behind when they cannot.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "common/file.h"
#include "imagegen/stream.h"
#include "testing.h"
#include "tests/unit/common/mutate.h"

namespace whittle::imagegen {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Image image_of(std::string tag, std::string content = "x") {
  ImageSpec spec = small_spec();
  spec.tag = std::move(tag);
  spec.files[0].content = to_bytes(content);
  return build_image(spec);
}

json read_json(const fs::path& path) { return json::parse(read_file(path).bytes); }

std::string hex_of(const Blob& blob) { return blob.digest.substr(7); }

void write_text(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

// The tags of a layout with the digest each leads to.
std::map<std::string, std::string> tags(const fs::path& layout) {
  std::map<std::string, std::string> out;
  const json index = read_json(layout / "index.json");
  for (const json& descriptor : index.at("manifests")) {
    const auto tag = json::json_pointer("/annotations/org.opencontainers.image.ref.name");
    if (!descriptor.contains(tag) || !descriptor[tag].is_string()) continue;
    out[descriptor[tag]] = descriptor.value("digest", "");
  }
  return out;
}

class ArchiveTest : public FolderTest {};
class LayoutTest : public FolderTest {};

TEST_F(ArchiveTest, IsALayoutAndADockerArchive) {
  const Image image = image_of("hello:1.0");
  write_archive(image, folder_ / "out.tar");
  EXPECT_THAT(listing(), ElementsAre("out.tar"));

  std::map<std::string, std::string> files;
  const auto entries = read_tar(read_file(folder_ / "out.tar").bytes);
  for (const TarEntry& entry : entries) {
    EXPECT_EQ(entry.uid, 0);
    EXPECT_EQ(entry.mtime, 0);
    EXPECT_EQ(entry.mode, entry.is_folder ? 0755u : 0644u);
    EXPECT_TRUE(files.emplace(entry.path, entry.content).second) << entry.path;
  }
  const std::string manifest = "blobs/sha256/" + hex_of(image.manifest);
  const std::string config = "blobs/sha256/" + hex_of(image.config);
  const std::string layer = "blobs/sha256/" + hex_of(image.layer);
  EXPECT_THAT(paths_of(entries), ElementsAre("oci-layout", "index.json", "manifest.json", "blobs/",
                                             "blobs/sha256/", manifest, config, layer));
  EXPECT_EQ(files[manifest], as_text(image.manifest.bytes));
  EXPECT_EQ(files[config], as_text(image.config.bytes));
  EXPECT_EQ(files[layer], as_text(image.layer.bytes));
  EXPECT_EQ(files["oci-layout"], R"({"imageLayoutVersion":"1.0.0"})");
  EXPECT_EQ(json::parse(files["manifest.json"]),
            json::array({{{"Config", config},
                          {"RepoTags", json::array({"hello:1.0"})},
                          {"Layers", json::array({layer})}}}));
  const json expected = {
      {"schemaVersion", 2},
      {"mediaType", "application/vnd.oci.image.index.v1+json"},
      {"manifests", json::array({{{"mediaType", "application/vnd.oci.image.manifest.v1+json"},
                                  {"digest", image.manifest.digest},
                                  {"size", image.manifest.bytes.size()},
                                  {"platform", {{"architecture", "amd64"}, {"os", "linux"}}},
                                  {"annotations",
                                   {{"io.containerd.image.name", "docker.io/library/hello:1.0"},
                                    {"org.opencontainers.image.ref.name", "1.0"}}}}})}};
  EXPECT_EQ(json::parse(files["index.json"]), expected);
}

TEST_F(ArchiveTest, TwiceTheSameBytes) {
  write_archive(image_of("a"), folder_ / "one");
  write_archive(image_of("a"), folder_ / "two");
  EXPECT_EQ(read_file(folder_ / "one").bytes, read_file(folder_ / "two").bytes);
}

TEST_F(ArchiveTest, ReplacesAFileAndNothingElse) {
  write_text(folder_ / "out.tar", "old");
  write_archive(image_of("a"), folder_ / "out.tar");
  EXPECT_GT(fs::file_size(folder_ / "out.tar"), 1000u);
  fs::create_directory(folder_ / "dir");
  EXPECT_ERROR(write_archive(image_of("a"), folder_ / "dir"), io, HasSubstr("is a folder"));
  EXPECT_ERROR(write_archive(image_of("a"), folder_ / "missing/out.tar"), io,
               AllOf(HasSubstr("missing/out.tar"), HasSubstr("No such file")));
  EXPECT_THAT(listing(), UnorderedElementsAre("out.tar", "dir"));
}

TEST_F(ArchiveTest, AFullDiskIsAnError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  EXPECT_ERROR(write_archive(image_of("a"), "/dev/full"), io,
               AllOf(HasSubstr("/dev/full: cannot write"), HasSubstr("No space left")));
}

TEST(TarWriter, AnErrorOfTheSinkComesOutAndAnUnfinishedTarGoesNowhere) {
  int calls = 0;
  {
    TarWriter tar(
        [&](ByteView) {
          calls++;
          throw Error(ErrorKind::io, "there", "is no more room");
        },
        0);
    EXPECT_ERROR(tar.add_file("a", Bytes(1 << 20, 'x'), 0644), io, HasSubstr("no more room"));
  }
  EXPECT_EQ(calls, 1);
}

TEST_F(LayoutTest, IsMadeWhole) {
  const Image image = image_of("team/hello:1.0");
  write_layout(image, folder_ / "out/");
  EXPECT_THAT(listing(), ElementsAre("out"));
  const fs::path out = folder_ / "out";
  EXPECT_EQ(as_text(read_file(out / "oci-layout").bytes), R"({"imageLayoutVersion":"1.0.0"})");
  EXPECT_THAT(tags(out), ElementsAre(std::pair("1.0", image.manifest.digest)));
  for (const Blob* blob : {&image.layer, &image.config, &image.manifest}) {
    EXPECT_EQ(read_file(out / "blobs/sha256" / hex_of(*blob)).bytes, blob->bytes);
  }
  EXPECT_EQ(fs::status(out).permissions() & fs::perms::owner_all, fs::perms::owner_all);
}

TEST_F(LayoutTest, TakesAnEmptyFolder) {
  fs::create_directory(folder_ / "out");
  fs::create_directory_symlink("out", folder_ / "link");
  write_layout(image_of("a:1"), folder_ / "link");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(tags(folder_ / "out").size(), 1u);
}

TEST_F(LayoutTest, KeepsOtherTagsAndReplacesItsOwn) {
  const fs::path out = folder_ / "out";
  const Image one = image_of("a:1", "one"), two = image_of("a:2", "two"),
              again = image_of("a:1", "again");
  write_layout(one, out);
  // A field that we know nothing of, as another tool may have put there.
  json index = read_json(out / "index.json");
  index["annotations"]["x"] = "kept";
  index["manifests"].push_back({{"digest", "sha256:00"}, {"size", 1}});
  write_text(out / "index.json", index.dump());
  write_layout(two, out);
  write_layout(again, out);
  index = read_json(out / "index.json");
  EXPECT_EQ(index["annotations"]["x"], "kept");
  ASSERT_EQ(index["manifests"].size(), 3u);
  EXPECT_EQ(index["manifests"][0]["digest"], "sha256:00");
  EXPECT_EQ(index["manifests"][1]["digest"], two.manifest.digest);
  EXPECT_EQ(index["manifests"][2]["digest"], again.manifest.digest);
  EXPECT_TRUE(fs::exists(out / "blobs/sha256" / hex_of(two.layer)));
  EXPECT_TRUE(fs::exists(out / "blobs/sha256" / hex_of(again.layer)));
}

TEST_F(LayoutTest, RepairsADamagedBlob) {
  const Image image = image_of("a:1");
  write_layout(image, folder_ / "out");
  const fs::path layer = folder_ / "out/blobs/sha256" / hex_of(image.layer);
  Bytes damaged = image.layer.bytes;
  damaged[20] ^= 1;
  write_file_atomic(layer, damaged);
  write_layout(image, folder_ / "out");
  EXPECT_EQ(read_file(layer).bytes, image.layer.bytes);
}

TEST_F(LayoutTest, RefusesWhatIsNotALayout) {
  const Image image = image_of("a:1");
  write_text(folder_ / "file", "precious");
  EXPECT_ERROR(write_layout(image, folder_ / "file"), io, HasSubstr("is a file"));
  EXPECT_ERROR(check_layout_place(folder_ / "file"), io, HasSubstr("is a file"));
  write_text(folder_ / "full/photo", "precious");
  EXPECT_ERROR(write_layout(image, folder_ / "full"), refused, HasSubstr("not empty"));
  EXPECT_ERROR(check_layout_place(folder_ / "full/"), refused, HasSubstr("not empty"));
  EXPECT_NO_THROW(check_layout_place(folder_ / "new"));
  EXPECT_ERROR(write_layout(image, folder_ / "missing/out"), io, HasSubstr("No such file"));
  EXPECT_THAT(listing(), UnorderedElementsAre("file", "full"));
  EXPECT_EQ(as_text(read_file(folder_ / "full/photo").bytes), "precious");
}

TEST_F(LayoutTest, RefusesADamagedLayoutAndLeavesIt) {
  const Image image = image_of("a:1");
  const std::string good_marker = R"({"imageLayoutVersion":"1.0.0"})";
  const auto attempt = [&](std::string_view marker, std::string_view index) {
    fs::remove_all(folder_ / "out");
    write_text(folder_ / "out/oci-layout", marker);
    if (!index.empty()) write_text(folder_ / "out/index.json", index);
    write_layout(image, folder_ / "out");
  };
  EXPECT_ERROR(attempt("", "{}"), malformed, HasSubstr("oci-layout: is not a JSON object"));
  EXPECT_ERROR(attempt(R"({"imageLayoutVersion":"2.0.0"})", "{}"), refused,
               HasSubstr("a version other than 1"));
  EXPECT_ERROR(attempt(R"({"imageLayoutVersion":7})", "{}"), refused,
               HasSubstr("a version other than 1"));
  EXPECT_ERROR(attempt(good_marker, ""), io, HasSubstr("index.json"));
  EXPECT_ERROR(attempt(good_marker, "[]"), malformed, HasSubstr("not a JSON object"));
  EXPECT_ERROR(attempt(good_marker, R"({"manifests":{}})"), malformed, HasSubstr("'manifests'"));
  EXPECT_ERROR(attempt(good_marker, std::string(100000, '[')), malformed, HasSubstr("JSON"));
  EXPECT_ERROR(attempt(good_marker, R"({"manifests":[)"), malformed, HasSubstr("JSON"));
  EXPECT_FALSE(fs::exists(folder_ / "out/blobs"));
  // Descriptors of any shape are somebody else's business and stay.
  attempt(good_marker, R"({"manifests":[1,null,{"annotations":[]},
      {"annotations":{"org.opencontainers.image.ref.name":1}}]})");
  EXPECT_EQ(read_json(folder_ / "out/index.json")["manifests"].size(), 5u);
}

TEST_F(LayoutTest, AnyDamageToAnIndexIsAnErrorOrHarmless) {
  const fs::path out = folder_ / "out", index = out / "index.json";
  const Image image = image_of("a:1");
  write_layout(image_of("b:2"), out);
  write_layout(image, out);
  const Bytes original = read_file(index).bytes;
  const int added = test::expect_survives(original, 200, [&](ByteView damaged) {
    write_file_atomic(index, damaged);
    write_layout(image, out);
    EXPECT_TRUE(tags(out).contains("1"));
  });
  EXPECT_GT(added, 0);
  EXPECT_LT(added, 200);
}

TEST_F(LayoutTest, WritersDoNotLoseOneAnothersTags) {
  const fs::path out = folder_ / "out";
  write_layout(image_of("a:first"), out);
  constexpr int kWriters = 8;
  for (int i = 0; i < kWriters; i++) {
    if (::fork() == 0) {
      write_layout(image_of("a:" + std::to_string(i), std::to_string(i)), out);
      ::_exit(0);
    }
  }
  for (int i = 0; i < kWriters; i++) {
    int status = -1;
    ::wait(&status);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(tags(out).size(), kWriters + 1u);
}

// What a signal in the middle of a layout leaves: nothing. The child has made the folder and
// written into it, and waits to be ended.
TEST_F(LayoutTest, ASignalLeavesNothing) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    remove_temporaries_on_signals();
    const TemporaryFolder temporary(folder_ / "out");
    fs::create_directories(temporary.path() / "blobs/sha256");
    for (int i = 0; i < 200; i++) {
      write_text(temporary.path() / "blobs/sha256" / std::to_string(i), "x");
    }
    AtomicFile unfinished(temporary.path() / "index.json", 0644);
    [[maybe_unused]] const ssize_t n = ::write(ready[1], "x", 1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(listing().size(), 1u);
  ::kill(child, SIGTERM);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  EXPECT_THAT(listing(), IsEmpty());
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace whittle::imagegen
