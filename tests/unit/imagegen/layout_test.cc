// SPDX-License-Identifier: MIT
//
// The two sinks: what they write, and what they leave behind when they cannot.
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <thread>

#include "common/digest.h"
#include "common/file.h"
#include "common/folder_lock.h"
#include "imagegen/image_set.h"
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
using ::testing::UnorderedElementsAreArray;

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

// The names by which tools find a layout's images, with the digest each leads to.
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

// The blobs of a layout, each of which has the content that its name is the digest of.
std::vector<std::string> blobs(const fs::path& layout) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(layout / "blobs/sha256")) {
    names.push_back(entry.path().filename().native());
    EXPECT_EQ(names.back(), to_hex(sha256(read_file(entry.path()).bytes)));
  }
  return names;
}

std::vector<std::string> names_of(const std::vector<const Blob*>& blobs) {
  std::vector<std::string> names;
  for (const Blob* blob : blobs) names.push_back(hex_of(*blob));
  return names;
}

std::vector<const Blob*> blobs_of(const Image& image) {
  return {&image.layer, &image.config, &image.manifest};
}

// Runs the actions at once, each in a process of its own, and expects them to succeed.
void in_processes(const std::vector<std::function<void()>>& actions) {
  for (const auto& action : actions) {
    if (::fork() != 0) continue;
    try {
      action();
      ::_exit(0);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      ::_exit(1);
    }
  }
  for (std::size_t i = 0; i < actions.size(); i++) {
    int status = -1;
    ::wait(&status);
    EXPECT_EQ(status, 0);
  }
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
  EXPECT_EQ(index["manifests"][0]["digest"], again.manifest.digest);
  EXPECT_EQ(index["manifests"][1]["digest"], "sha256:00");
  EXPECT_EQ(index["manifests"][2]["digest"], two.manifest.digest);
}

TEST_F(LayoutTest, KeepsEveryNameAndPlatform) {
  const fs::path out = folder_ / "out";
  const Image api = image_of("api:1.4.0"), worker = image_of("worker:1.4.0", "worker");
  ImageSpec spec = small_spec();
  spec.tag = "api:1.4.0";
  spec.architecture = "arm64";
  const Image arm = build_image(spec);
  EXPECT_THAT(write_layout(api, out), IsEmpty());
  EXPECT_THAT(write_layout(worker, out), ElementsAre(HasSubstr("the tag 1.4.0")));
  EXPECT_THAT(write_layout(arm, out), IsEmpty());
  const auto found = tags(out);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found.at("worker:1.4.0"), worker.manifest.digest);
  const json platforms = read_json(out / "blobs/sha256" / found.at("api:1.4.0").substr(7));
  ASSERT_EQ(platforms["manifests"].size(), 2u);
  EXPECT_EQ(platforms["manifests"][0]["digest"], api.manifest.digest);
  EXPECT_EQ(platforms["manifests"][1]["digest"], arm.manifest.digest);
  EXPECT_EQ(blobs(out).size(), 3u * 3 + 1);
}

TEST_F(LayoutTest, RemovesWhatNothingRefersToAnyMore) {
  const fs::path out = folder_ / "out";
  const Image one = image_of("a:1", "one"), two = image_of("a:1", "two");
  // The layer of `one` under another name stays, its config and manifest are other ones.
  ImageSpec spec = small_spec();
  spec.tag = "b:1";
  spec.files[0].content = to_bytes("one");
  spec.cmd = {"other"};
  const Image sharing = build_image(spec);
  ASSERT_EQ(sharing.layer.digest, one.layer.digest);
  write_layout(one, out);
  write_layout(sharing, out);
  const std::string stranger = std::string(64, '7');
  write_text(out / "blobs/sha256" / stranger, "not ours");
  write_layout(two, out);
  fs::remove(out / "blobs/sha256" / stranger);  // it was still there
  std::vector<const Blob*> expected = blobs_of(two);
  for (const Blob* blob : blobs_of(sharing)) expected.push_back(blob);
  EXPECT_THAT(blobs(out), UnorderedElementsAreArray(names_of(expected)));

  // An index of platforms is replaced by the next one, and a platform's image with it.
  for (const char* content : {"x", "y"}) {
    spec.architecture = "arm64";
    spec.tag = "a:1";
    spec.files[0].content = to_bytes(content);
    write_layout(build_image(spec), out);
    EXPECT_EQ(blobs(out).size(), 3u * 3 + 1) << content;
  }
}

// What another tool's documents mention stays, by whatever way it is mentioned.
TEST_F(LayoutTest, KeepsWhatIsMentionedAnywhere) {
  const fs::path out = folder_ / "out";
  const Image one = image_of("a:1", "one"), two = image_of("a:1", "two");
  const std::string digest = one.manifest.digest;
  std::string escaped;
  for (const char c : digest) escaped += fmt::format("\\u00{:02x}", static_cast<unsigned char>(c));
  const std::string sha512 = std::string(128, 'a');
  struct Case {
    std::string what, document;
    bool by_sha512 = false;
  };
  for (const auto& [what, document, by_sha512] : {
           Case{"subject of a referrer", R"({"subject":{"digest":")" + digest + R"("}})"},
           Case{"unknown type", R"({"x":[{"y":")" + digest + R"("}]})"},
           Case{"annotation", R"({"annotations":{"a":"see )" + digest + R"(."}})"},
           Case{"tag of a signature", R"({"tag":"sha256-)" + digest.substr(7) + R"(.sig"})"},
           Case{"no JSON", "digest = " + digest + "\n"},
           Case{"escapes", R"({"subject":{"digest":")" + escaped + R"("}})"},
           Case{"large", std::string(5 << 20, ' ') + R"({"d":")" + digest + R"("})"},
           Case{"SHA-512", R"({"d":")" + digest + R"("})", true},
       }) {
    fs::remove_all(out);
    write_layout(one, out);
    const std::string name = by_sha512 ? sha512 : to_hex(sha256(as_bytes(document)));
    write_text(out / "blobs" / (by_sha512 ? "sha512" : "sha256") / name, document);
    json index = read_json(out / "index.json");
    index["manifests"].push_back({{"mediaType", "application/x-unknown"},
                                  {"digest", (by_sha512 ? "sha512:" : "sha256:") + name}});
    write_text(out / "index.json", index.dump());
    EXPECT_THAT(write_layout(two, out), IsEmpty()) << what;
    EXPECT_EQ(blobs(out).size(), 6u + !by_sha512) << what;

    // Without the mention they go.
    index = read_json(out / "index.json");
    index["manifests"].erase(1);
    write_text(out / "index.json", index.dump());
    write_layout(one, out);
    write_layout(two, out);
    EXPECT_EQ(blobs(out).size(), 3u + !by_sha512) << what;
  }
}

// Read once for each way that leads to it, the innermost of these would be read 10 to the 12th
// times.
TEST_F(LayoutTest, ManyWaysToOneDocumentTakeNoTime) {
  const fs::path out = folder_ / "out";
  const Image one = image_of("a:1", "one");
  write_layout(one, out);
  json descriptor = read_json(out / "index.json")["manifests"][0];
  const json annotations = descriptor["annotations"];
  for (int depth = 0; depth < 4; depth++) {
    const json document = {{"manifests", std::vector<json>(1000, descriptor)}};
    const std::string text = document.dump();
    const std::string name = to_hex(sha256(as_bytes(text)));
    write_text(out / "blobs/sha256" / name, text);
    descriptor = {{"mediaType", "application/vnd.oci.image.index.v1+json"},
                  {"digest", "sha256:" + name},
                  {"size", text.size()},
                  {"annotations", annotations}};
  }
  write_text(out / "index.json", json{{"manifests", {descriptor}}}.dump());
  write_layout(image_of("a:1", "two"), out);
  EXPECT_TRUE(fs::exists(out / "blobs/sha256" / hex_of(one.layer)));
}

TEST_F(LayoutTest, DeletesNothingWhereItIsUncertain) {
  const fs::path out = folder_ / "out";
  const Image one = image_of("a:1", "one"), two = image_of("a:1", "two");
  const auto attempt = [&](const std::function<void()>& change) {
    fs::remove_all(out);
    fs::remove_all(folder_ / "shared");
    write_layout(one, out);
    change();
    return write_layout(two, out);
  };
  EXPECT_THAT(attempt([&] {
                fs::rename(out / "blobs", folder_ / "shared");
                fs::create_directory_symlink("../shared", out / "blobs");
              }),
              ElementsAre(AllOf(HasSubstr("stay in the layout"), HasSubstr("is a link"))));
  EXPECT_EQ(blobs(out).size(), 6u);
  EXPECT_THAT(attempt([&] { write_text(out / "blobs/blake3/xyz", "x"); }),
              ElementsAre(HasSubstr("blobs/blake3 is of an unknown kind")));
  EXPECT_EQ(blobs(out).size(), 6u);
  // A manifest that is damaged may have been anything: its parts are not known.
  EXPECT_THAT(
      attempt([&] { write_text(out / "blobs/sha256" / hex_of(one.manifest), R"({"layers":[]})"); }),
      IsEmpty());
  EXPECT_TRUE(fs::exists(out / "blobs/sha256" / hex_of(one.layer)));
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
  EXPECT_ERROR(
      {
        fs::remove_all(folder_ / "out");
        write_text(folder_ / "out/oci-layout", good_marker);
        write_text(folder_ / "out/other", "x");
        write_layout(image, folder_ / "out");
      },
      io, HasSubstr("index.json"));
  EXPECT_ERROR(attempt(good_marker, "[]"), malformed, HasSubstr("not a JSON object"));
  EXPECT_ERROR(attempt(good_marker, R"({"manifests":{}})"), malformed, HasSubstr("'manifests'"));
  EXPECT_ERROR(attempt(good_marker, std::string(100000, '[')), malformed, HasSubstr("JSON"));
  const std::string deep = std::string(3000000, '[') + std::string(3000000, ']');
  EXPECT_ERROR(attempt(good_marker, R"({"manifests":[],"x":)" + deep + "}"), malformed,
               HasSubstr("nested more than 100 levels"));
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
    try {
      write_layout(image, out);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::corrupt) return;  // a damaged digest leads to no blob
      throw;
    }
    // By its whole name where the damage gave the other image the same tag.
    EXPECT_TRUE(tags(out).contains("1") || tags(out).contains("a:1"));
  });
  EXPECT_GT(added, 0);
  EXPECT_LT(added, 200);
}

TEST_F(LayoutTest, WritersOfOneLayoutLoseNothing) {
  constexpr int kWriters = 6, kRounds = 8;
  std::vector<Image> images;
  for (int i = 0; i < kWriters; i++) {
    // Names of one tag, and platforms of one name.
    ImageSpec spec = small_spec();
    spec.tag = i < kWriters / 2 ? fmt::format("name{}:1", i) : "name:2";
    spec.architecture = fmt::format("machine{}", i);
    spec.files[0].content = to_bytes(std::to_string(i));
    images.push_back(build_image(spec));
  }
  std::string first;
  for (int round = 0; round < kRounds; round++) {
    // The layout is missing at first, or an empty folder; writers are processes or threads.
    const fs::path out = folder_ / std::to_string(round);
    if (round % 4 < 2) fs::create_directory(out);
    std::vector<std::function<void()>> writers;
    for (const Image& image : images) writers.push_back([&] { write_layout(image, out); });
    if (round % 2 == 0) {
      in_processes(writers);
    } else {
      std::vector<std::thread> threads;
      for (const auto& writer : writers) threads.emplace_back(writer);
      for (std::thread& thread : threads) thread.join();
    }
    const std::string index(as_text(read_file(out / "index.json").bytes));
    if (first.empty()) first = index;
    EXPECT_EQ(index, first) << round;
    EXPECT_EQ(tags(out).size(), kWriters / 2 + 1u);
    EXPECT_EQ(blobs(out).size(), 3u * kWriters + 1);
  }
  EXPECT_EQ(listing().size(), static_cast<std::size_t>(kRounds));
}

// Killed at any moment, a writer leaves a layout as it was or as it is to be, and neither a lock
// nor anything else that the next writer could stumble over.
TEST_F(LayoutTest, AKilledWriterLeavesAWholeLayout) {
  const Image before = image_of("a:1", "before"), after = image_of("a:1", "after");
  const Image other = image_of("b:2", "other");
  int killed = 0;
  for (int round = 0; round < 36; round++) {
    const fs::path out = folder_ / "out";
    fs::remove_all(out);
    if (round % 3 == 0) fs::create_directory(out);
    if (round % 3 == 1) write_layout(before, out);
    const pid_t child = ::fork();
    if (child == 0) {
      write_layout(after, out);
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(round * 100));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) killed++;
    write_layout(other, out);
    const auto found = tags(out);
    EXPECT_EQ(found.at("2"), other.manifest.digest);
    if (found.contains("1")) {
      const bool is_new = found.at("1") == after.manifest.digest;
      EXPECT_TRUE(is_new || (round % 3 == 1 && found.at("1") == before.manifest.digest));
    } else {
      EXPECT_NE(round % 3, 1);
    }
    for (const auto& entry : fs::recursive_directory_iterator(out)) {
      EXPECT_FALSE(entry.path().filename().native().starts_with(".")) << entry.path();
    }
    blobs(out);  // each is whole
  }
  EXPECT_GT(killed, 0);
}

TEST_F(LayoutTest, AWriterWaitsForReaders) {
  const fs::path out = folder_ / "out";
  write_layout(image_of("a:1", "before"), out);
  std::optional<FolderLock> reader(std::in_place, out, FolderLock::Kind::shared);
  std::atomic<bool> done = false;
  const Image image = image_of("a:1", "after");
  std::thread writer([&] {
    write_layout(image, out);
    done = true;
  });
  ::usleep(50000);
  EXPECT_FALSE(done);
  // An audit is a reader beside another one.
  {
    const auto other = ImageSet::open(out);
    ASSERT_NE(other, nullptr);
    ASSERT_EQ(other->images().size(), 1u);
    EXPECT_THAT(other->images().front().problems, IsEmpty());
    EXPECT_FALSE(other->images().front().is_absent);
  }
  EXPECT_NE(tags(out).at("1"), image.manifest.digest);
  reader.reset();
  writer.join();
  EXPECT_EQ(tags(out).at("1"), image.manifest.digest);
}

// It may be where a volume is mounted, or the current folder of a shell.
TEST_F(LayoutTest, AnEmptyFolderStaysTheSameFolder) {
  const fs::path out = folder_ / "out";
  fs::create_directory(out);
  fs::permissions(out, fs::perms::owner_all);
  struct stat before {
  }, after{};
  ASSERT_EQ(::stat(out.c_str(), &before), 0);
  write_layout(image_of("a:1"), out);
  ASSERT_EQ(::stat(out.c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(fs::status(out).permissions(), fs::perms::owner_all);
}

// A disk that is full, as a limit on the size of files has it.
TEST_F(LayoutTest, AWriterThatFailsLeavesWhatWasThere) {
  const Image image = image_of("a:1"),
              large = image_of("a:1", [] {
                std::string noise;
                for (unsigned i = 0, x = 1; i < 50000; i++) {
                  noise += static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
                }
                return noise;
              }());
  const auto fail = [&](const fs::path& out) {
    in_processes({[&] {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{10000, 10000};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      test::expect_error(ErrorKind::io, [&] { write_layout(large, out); });
      if (::testing::Test::HasFailure()) throw std::runtime_error("it did not fail");
    }});
  };
  fail(folder_ / "missing");
  EXPECT_THAT(listing(), IsEmpty());
  fs::create_directory(folder_ / "empty");
  fail(folder_ / "empty");
  EXPECT_TRUE(fs::is_empty(folder_ / "empty"));
  write_layout(image, folder_ / "out");
  const Bytes index = read_file(folder_ / "out/index.json").bytes;
  fail(folder_ / "out");
  EXPECT_EQ(read_file(folder_ / "out/index.json").bytes, index);
  EXPECT_THAT(blobs(folder_ / "out"), UnorderedElementsAreArray(names_of(blobs_of(image))));
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

// In an empty folder the layout is made in place: all of it is there afterwards, or nothing.
TEST_F(LayoutTest, ASignalLeavesAnEmptyFolderEmpty) {
  const fs::path out = folder_ / "out";
  const Image image = image_of("a:1", std::string(1 << 20, 'x'));
  int empty = 0;
  for (int round = 0; round < 20; round++) {
    fs::remove_all(out);
    fs::create_directory(out);
    const pid_t child = ::fork();
    if (child == 0) {
      remove_temporaries_on_signals();
      write_layout(image, out);
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(500 + round * 400));
    ::kill(child, SIGTERM);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (fs::is_empty(out)) {
      empty++;
      EXPECT_TRUE(WIFSIGNALED(status));
    } else {
      EXPECT_THAT(blobs(out), UnorderedElementsAreArray(names_of(blobs_of(image)))) << round;
      EXPECT_EQ(tags(out).size(), 1u);
    }
  }
  EXPECT_GT(empty, 0);
}

}  // namespace
}  // namespace whittle::imagegen
