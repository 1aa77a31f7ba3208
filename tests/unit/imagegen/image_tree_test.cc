// SPDX-License-Identifier: MIT
#include "imagegen/image_tree.h"

#include <chrono>

#include "tests/unit/imagegen/reading.h"

namespace whittle::imagegen {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

LayerVisitor keep_all() {
  return {.keeps = [](const std::string&) { return true; },
          .take = [](std::size_t, const LayerEntry&, const Bytes&) {}};
}

LayerContents read(const Bytes& layer) {
  LayerReader reader;
  return reader.read(source_of(layer), layer.size(), "layer", keep_all());
}

class ImageTreeTest : public testing::Test {
 protected:
  // "/path", "/path/" of folders, "/path -> target" of links, "/path=content" of text files.
  std::vector<std::string> lay(const std::vector<Bytes>& layers) {
    tree = ImageTree();
    problems.clear();
    for (const Bytes& layer : layers) {
      const LayerContents contents = read(layer);
      EXPECT_FALSE(contents.error) << contents.error->message();
      tree.apply(contents, [&](const std::string& path, const Error& error) {
        problems.push_back(path + ": " + error.message());
      });
    }
    std::vector<std::string> out;
    tree.for_each(
        [&](const std::string& path, const TreeEntry& entry, ImageTree::Origin, const Error*) {
          std::string line = path;
          if (entry.is_folder()) line += "/";
          if (entry.type == TreeEntry::Type::symlink) line += " -> " + entry.target;
          if (entry.is_file()) line += "=" + text(tree.read(path, 100).value_or(to_bytes("?")));
          out.push_back(line);
        });
    return out;
  }

  ImageTree tree;
  std::vector<std::string> problems;
};

TEST_F(ImageTreeTest, UpperLayersHideLowerOnes) {
  const Bytes lower =
      tar_of({{"a", "lower"}, {"d/x", "lower"}, {"d/e/y", "lower"}, {"f", "lower"}});
  EXPECT_THAT(lay({lower, tar_of({{"a", "upper"}})}),
              ElementsAre("/a=upper", "/d/", "/d/e/", "/d/e/y=lower", "/d/x=lower", "/f=lower"));
  EXPECT_THAT(lay({lower, tar_of({{".wh.a", ""}, {"d/.wh.e", ""}})}),
              ElementsAre("/d/", "/d/x=lower", "/f=lower"));
  EXPECT_THAT(lay({lower, tar_of({{"d/", ""}, {"d/.wh..wh..opq", ""}, {"d/n", "new"}})}),
              ElementsAre("/a=lower", "/d/", "/d/n=new", "/f=lower"));
  // The order of a layer's entries means nothing to its whiteouts.
  EXPECT_THAT(lay({lower, tar_of({{"d/n", "new"}, {"d/.wh..wh..opq", ""}})}),
              ElementsAre("/a=lower", "/d/", "/d/n=new", "/f=lower"));
  EXPECT_THAT(lay({lower, tar_of({{"d/e/n", "new"}, {".wh.d", ""}})}),
              ElementsAre("/a=lower", "/d/", "/d/e/", "/d/e/n=new", "/f=lower"));
  EXPECT_THAT(lay({lower, tar_of({{"d", "a file now"}})}),
              ElementsAre("/a=lower", "/d=a file now", "/f=lower"));
  EXPECT_THAT(
      lay({lower, tar_of({{"f/", ""}, {"f/g", "new"}})}),
      ElementsAre("/a=lower", "/d/", "/d/e/", "/d/e/y=lower", "/d/x=lower", "/f/", "/f/g=new"));
  // Taken away, then put back: the middle layer's whiteout does not reach up.
  EXPECT_THAT(lay({lower, tar_of({{".wh.d", ""}}), tar_of({{"d/z", "again"}})}),
              ElementsAre("/a=lower", "/d/", "/d/z=again", "/f=lower"));
  EXPECT_THAT(lay({lower, tar_of({{".wh..wh..opq", ""}, {"only", "x"}})}), ElementsAre("/only=x"));
  EXPECT_THAT(lay({lower, tar_of({{".wh.none", ""}, {"none/.wh.x", ""}, {".wh..wh.plnk", ""}})}),
              ElementsAre("/a=lower", "/d/", "/d/e/", "/d/e/y=lower", "/d/x=lower", "/f=lower"));
  EXPECT_THAT(problems, IsEmpty());
}

// Whiteouts of one name, thousands of times, would be a walk over the folder for each.
TEST_F(ImageTreeTest, ManyWhiteoutsCostOneWalk) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (int i = 0; i < 60000; i++) entries.push_back({"f" + std::to_string(i), ""});
  for (int i = 0; i < 60000; i++) entries.push_back({".wh..wh..opq", ""});
  const LayerContents contents = read(tar_of(entries));
  const auto begin = std::chrono::steady_clock::now();
  tree.apply(contents, [](const std::string&, const Error&) {});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST_F(ImageTreeTest, HardLinksAreNamesOfOneFile) {
  const Bytes lower = raw_tar({{"bin/a", '0', "content"}, {"bin/b", '1', "", "bin/a"}});
  EXPECT_THAT(lay({lower}), ElementsAre("/bin/", "/bin/a=content", "/bin/b=content"));
  EXPECT_THAT(lay({lower, tar_of({{"bin/.wh.a", ""}})}), ElementsAre("/bin/", "/bin/b=content"));
  EXPECT_THAT(lay({lower, tar_of({{"bin/a", "other"}})}),
              ElementsAre("/bin/", "/bin/a=other", "/bin/b=content"));
  // To a file of a lower layer.
  EXPECT_THAT(lay({lower, raw_tar({{"c", '1', "", "./bin/b"}})}),
              ElementsAre("/bin/", "/bin/a=content", "/bin/b=content", "/c=content"));
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_THAT(lay({raw_tar({{"d/", '5'}, {"x", '1', "", "gone"}, {"y", '1', "", "d"}})}),
              ElementsAre("/d/"));
  EXPECT_THAT(problems, ElementsAre(HasSubstr("hard link to /gone, which is no file"),
                                    HasSubstr("hard link to /d, which is no file")));
}

TEST_F(ImageTreeTest, LinksOfALayerAreFollowedInIt) {
  const Bytes merged =
      raw_tar({{"usr/lib/", '5'}, {"lib", '2', "", "usr/lib"}, {"lib/x", '0', "x"}});
  EXPECT_THAT(lay({merged}), ElementsAre("/lib -> usr/lib", "/usr/", "/usr/lib/", "/usr/lib/x=x"));
  EXPECT_EQ(resolve(tree, "/lib/x")->path, "/usr/lib/x");
  // A layer of its own has a folder there, which hides the link of the lower one.
  EXPECT_THAT(lay({merged, tar_of({{"lib/y", "y"}})}),
              ElementsAre("/lib/", "/lib/y=y", "/usr/", "/usr/lib/", "/usr/lib/x=x"));
  EXPECT_THAT(lay({raw_tar({{"l", '2', "", "l"}, {"l/x", '0', "x"}})}),
              ElementsAre("/l/", "/l/x=x"));
  EXPECT_THAT(problems, IsEmpty());
}

TEST_F(ImageTreeTest, KnowsModesOwnersAndRoot) {
  lay({raw_tar({{"./", '5', "", "", 0711, 3, 4}, {"f", '0', "x", "", 04750, 1000, 50}})});
  EXPECT_EQ(tree.find("/")->mode, 0711u);
  EXPECT_EQ(tree.find("/")->owner, 3u);
  EXPECT_EQ(tree.find("/f")->mode, 04750u);
  EXPECT_EQ(tree.find("/f")->owner, 1000u);
  EXPECT_EQ(tree.find("/f")->group, 50u);
  EXPECT_THAT(tree.names("/"), ElementsAre("f"));
  EXPECT_FALSE(tree.find("/none"));
  EXPECT_FALSE(tree.find("/f/x"));
}

TEST_F(ImageTreeTest, ReadsNoMoreThanIsKept) {
  const LayerVisitor none{.keeps = [](const std::string&) { return false; },
                          .take = [](std::size_t, const LayerEntry&, const Bytes&) {}};
  const Bytes layer = raw_tar({{"script", '0', "#!/bin/sh\n" + std::string(1000, 'x')},
                               {"data", '0', "longer than four", "", 0644},
                               {"program", '0', program("")},
                               {"run", '0', "no script"}});
  LayerReader reader;
  tree.apply(reader.read(source_of(layer), layer.size(), "layer", none),
             [](const std::string&, const Error&) {});
  EXPECT_EQ(tree.read("/script", 256)->size(), 256u);
  EXPECT_FALSE(tree.read("/script", 257));
  EXPECT_FALSE(tree.read("/data", 1));
  EXPECT_EQ(text(*tree.read("/run", 4)), "no s");
  EXPECT_FALSE(tree.read("/run", 5));
  EXPECT_NE(tree.object("/program"), nullptr);
  EXPECT_EQ(tree.object("/script"), nullptr);
}

// A folder can be made deeper than any path is long by way of links.
TEST_F(ImageTreeTest, PathsAreNoLongerThanLinuxTakes) {
  std::string deep;
  for (int i = 0; i < 40; i++) deep += "d/";
  std::vector<RawEntry> entries = {{deep, '5'}};
  std::string link = deep;
  for (int i = 0; i < 60; i++) {
    const std::string name = "l" + std::to_string(i);
    entries.push_back({name, '2', "", i == 0 ? deep : "l" + std::to_string(i - 1) + "/" + deep});
    entries.push_back({name + "/" + deep, '5'});
  }
  const auto start = std::chrono::steady_clock::now();
  const auto found = lay({raw_tar(entries)});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  for (const std::string& path : found) EXPECT_LE(path.size(), 4200u);
}

// Each name makes two thousand folders that have no entry.
TEST_F(ImageTreeTest, TreesAreNoLargerThanMemory) {
  LayerContents contents;
  std::string deep;
  for (int i = 0; i < 2000; i++) deep += "/d";
  for (int i = 0; i < 1100; i++) {
    contents.entries.push_back({.path = "/" + std::to_string(i) + deep, .entry = {}, .target = {}});
  }
  EXPECT_ERROR(tree.apply(contents, [](const std::string&, const Error&) {}), refused,
               HasSubstr("more than 2000000 files and folders"));
}

// ---- The reader of a layer.

TEST(LayerContents, NamesStayInTheRoot) {
  const LayerContents contents = read(raw_tar({{"../out", '0', "x"},
                                               {"a/../../out", '0', "x"},
                                               {"a/../inside", '0', "x"},
                                               {"link", '1', "", "../out"},
                                               {"/absolute", '0', "x"},
                                               {"./a//b/./c", '0', "x"}}));
  EXPECT_FALSE(contents.error);
  ASSERT_EQ(contents.problems.size(), 3u);
  for (const auto& [name, error] : contents.problems) {
    EXPECT_THAT(error.message(), HasSubstr("leads out of the root")) << name;
  }
  ASSERT_EQ(contents.entries.size(), 3u);
  EXPECT_EQ(contents.entries[0].path, "/inside");
  EXPECT_EQ(contents.entries[1].path, "/absolute");
  EXPECT_EQ(contents.entries[2].path, "/a/b/c");
}

// Names are bytes: UTF-8 in a pax header, anything in a plain one.
TEST(LayerContents, NamesAreBytes) {
  const std::string umlaut =
                        "b\xc3\xbc"
                        "cher/\xe2\x82\xac",
                    latin1 =
                        "\xfc"
                        "ber";
  const LayerContents contents = read(raw_tar({{umlaut, '0', "x"},
                                               {latin1, '0', "x"},
                                               {"link", '2', "", umlaut},
                                               {"hard", '1', "", latin1}}));
  EXPECT_THAT(contents.problems, IsEmpty());
  ASSERT_EQ(contents.entries.size(), 4u);
  EXPECT_EQ(contents.entries[0].path, "/" + umlaut);
  EXPECT_EQ(contents.entries[1].path, "/" + latin1);
  EXPECT_EQ(contents.entries[2].entry.target, umlaut);
  EXPECT_EQ(contents.entries[3].target, "/" + latin1);
  // TarWriter writes pax headers for such names.
  const LayerContents pax =
      read(tar_of({{umlaut, "x"}, {std::string(200, 'y') + "/\xc3\xbc", "x"}}));
  ASSERT_EQ(pax.entries.size(), 2u);
  EXPECT_EQ(pax.entries[0].path, "/" + umlaut);
  EXPECT_EQ(pax.entries[1].path, "/" + std::string(200, 'y') + "/\xc3\xbc");
}

TEST(LayerContents, DigestsAreOfAllThatWasRead) {
  const Bytes tar = tar_of({{"a", "x"}});
  const Bytes gzip = compressed(tar, Compression::gzip);
  LayerReader reader;
  const LayerContents contents = reader.read(source_of(gzip), gzip.size(), "l", keep_all());
  EXPECT_EQ(contents.digest, digest_of(gzip));
  EXPECT_EQ(contents.size, gzip.size());
  EXPECT_EQ(contents.diff_id, digest_of(tar));
}

// The size that a header announces is looked at before anything is unpacked: a file of 60 GiB is
// refused at once, in no time and without memory.
TEST(LayerContents, AnnouncedSizesAreChecked) {
  RawEntry huge{"huge", '0', ""};
  std::string header = raw_entry(huge);
  header.replace(124, 11, "74000000000");  // octal: about 64 GB
  header.replace(148, 8, std::string(8, ' '));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  char text_of_sum[8];
  std::snprintf(text_of_sum, sizeof text_of_sum, "%06o", sum);
  header.replace(148, 7, std::string(text_of_sum) + '\0');
  const Bytes gzip = compressed(
      to_bytes(raw_entry({"first", '0', program("")}) + header + std::string(100'000, 'x')),
      Compression::gzip);
  const auto start = std::chrono::steady_clock::now();
  const LayerContents contents = LayerReader().read(source_of(gzip), gzip.size(), "l", keep_all());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  ASSERT_TRUE(contents.error);
  EXPECT_EQ(name(contents.error->kind()), name(ErrorKind::refused));
  EXPECT_THAT(contents.error->message(), HasSubstr("has an entry of "));
  EXPECT_EQ(contents.digest, digest_of(gzip));  // the blob itself is read to its end
  EXPECT_EQ(contents.diff_id, "");
  EXPECT_EQ(contents.entries.size(), 1u);
}

// One file cannot be too large, but many can.
TEST(LayerContents, BombsAreRefused) {
  std::vector<RawEntry> entries(20, {"zeros", '0', std::string(100'000, '\0')});
  const Bytes tar = raw_tar(entries);
  const Bytes zstd = compressed(tar, Compression::zstd);
  const auto error_within = [&](std::uint64_t free) {
    LayerReader reader({.free = free, .times = 2}, UINT64_MAX / 4);
    return reader.read(source_of(zstd), zstd.size(), "l", keep_all()).error;
  };
  EXPECT_FALSE(error_within(tar.size()));
  const auto error = error_within(tar.size() / 2);
  ASSERT_TRUE(error);
  EXPECT_EQ(name(error->kind()), name(ErrorKind::refused));
  EXPECT_THAT(error->message(), HasSubstr("which is more than is looked at"));
}

// What each layer may unpack to is limited, and so is what all of them together do.
TEST(LayerContents, LayersShareAnAllowance) {
  const Bytes tar = raw_tar({{"zeros", '0', std::string(100'000, '\0')}});
  const Bytes zstd = compressed(tar, Compression::zstd);
  LayerReader reader({.free = 200'000, .times = 2}, 4 * tar.size());
  int good = 0;
  for (int i = 0; i < 6; i++) {
    good += !reader.read(source_of(zstd), zstd.size(), "l", keep_all()).error;
  }
  EXPECT_EQ(good, 4);
  EXPECT_FALSE(reader.read(source_of(tar), tar.size(), "l", keep_all()).error);
}

TEST(LayerContents, ASparseProgramIsNoBomb) {
  // GNU's old sparse format: a file of 2 GiB of which the archive holds 512 bytes.
  std::string header = raw_entry({"sparse", 'S', std::string(512, 'x')}).substr(0, 512);
  const auto put = [&](std::size_t at, const std::string& what) {
    header.replace(at, what.size(), what);
  };
  put(257, std::string("ustar  \0", 8));
  put(386, "00000000000"), put(398, "00000001000");  // one piece: 512 bytes at 0
  put(483, "20000000000");                           // 2 GiB in all
  put(148, std::string(8, ' '));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  char text_of_sum[8];
  std::snprintf(text_of_sum, sizeof text_of_sum, "%06o", sum);
  put(148, std::string(text_of_sum) + '\0');
  const Bytes tar = to_bytes(header +
                             "\x7f"
                             "ELF" +
                             std::string(508, '\0') + std::string(1024, '\0'));
  const LayerContents contents = read(tar);
  ASSERT_FALSE(contents.error) << contents.error->message();
  ASSERT_EQ(contents.entries.size(), 1u);
  EXPECT_EQ(contents.entries[0].entry.size, std::uint64_t{2} << 30);
  ASSERT_TRUE(contents.entries[0].problem);
  EXPECT_THAT(contents.entries[0].problem->message(), HasSubstr("has 2147483648 bytes"));
}

}  // namespace
}  // namespace whittle::imagegen
