// SPDX-License-Identifier: MIT
#include "imagegen/rootfs.h"

#include "testing.h"

namespace whittle::imagegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> names(const std::vector<RootEntry>& root) {
  std::vector<std::string> out;
  for (const RootEntry& entry : root) out.push_back(entry.path + (entry.is_folder ? "/" : ""));
  return out;
}

TEST(NormalisePath, DropsWhatSaysNothing) {
  EXPECT_EQ(normalise_path("/usr//bin/./app"), "/usr/bin/app");
  EXPECT_EQ(normalise_path("/app/"), "/app");
  EXPECT_EQ(normalise_path("/"), "/");
  EXPECT_EQ(normalise_path("//."), "/");
  EXPECT_EQ(normalise_path("/..."), "/...");
  EXPECT_EQ(normalise_path("/grüß/日本"), "/grüß/日本");
}

TEST(NormalisePath, RefusesHostilePaths) {
  EXPECT_ERROR(normalise_path(""), usage, HasSubstr("must begin with '/'"));
  EXPECT_ERROR(normalise_path("app"), usage, HasSubstr("must begin with '/'"));
  EXPECT_ERROR(normalise_path("../app"), usage, HasSubstr("must begin with '/'"));
  EXPECT_ERROR(normalise_path("/a/../b"), usage, HasSubstr("'..'"));
  EXPECT_ERROR(normalise_path("/.."), usage, HasSubstr("'..'"));
  EXPECT_ERROR(normalise_path(std::string("/a\0b", 4)), usage, HasSubstr("NUL"));
  EXPECT_ERROR(normalise_path("/a\xff"), usage, HasSubstr("UTF-8"));
  EXPECT_ERROR(normalise_path("/a/.wh.b"), usage, HasSubstr("deletion"));
  EXPECT_ERROR(normalise_path("/.wh..wh..opq"), usage, HasSubstr("deletion"));
  EXPECT_ERROR(normalise_path('/' + std::string(256, 'x')), usage, HasSubstr("Linux takes 255"));
  std::string deep;
  for (int i = 0; i < 17; i++) deep += '/' + std::string(250, 'x');
  EXPECT_ERROR(normalise_path(deep), usage, HasSubstr("Linux takes 4095"));
}

// The root of a spec with these and nothing else.
ImageSpec spec_of(std::vector<RootFile> files, std::vector<RootFolder> folders = {},
                  std::vector<RootLink> links = {}) {
  ImageSpec spec;
  spec.files = std::move(files);
  spec.folders = std::move(folders);
  spec.links = std::move(links);
  return spec;
}

TEST(MakeRoot, AddsParentsAndSorts) {
  ImageSpec spec = spec_of({{"/usr/share/x/y", to_bytes("y"), 0600},
                            {"/usr-local", {}, 0644},
                            {"/app", to_bytes("a"), 04755}});
  spec.working_dir = "/data/";
  const auto root = make_root(spec);
  EXPECT_THAT(names(root), ElementsAre("app", "data/", "usr/", "usr-local", "usr/share/",
                                       "usr/share/x/", "usr/share/x/y"));
  EXPECT_EQ(root[0].mode, 04755u);
  EXPECT_EQ(root[1].mode, 0755u);
  EXPECT_EQ(as_text(root[6].content), "y");
}

TEST(MakeRoot, DoesNotDependOnTheOrderGiven) {
  const ImageSpec one = spec_of({{"/b/c", {}, 0644}, {"/a", {}, 0644}}, {{"/d/e"}, {"/d", 0700}});
  const ImageSpec other = spec_of({{"/a", {}, 0644}, {"/b/c", {}, 0644}}, {{"/d", 0700}, {"/d/e"}});
  EXPECT_EQ(names(make_root(one)), names(make_root(other)));
  for (const ImageSpec& spec : {one, other}) {
    for (const RootEntry& entry : make_root(spec)) {
      if (!entry.is_folder) continue;
      EXPECT_EQ(entry.mode, entry.path == "d" ? 0700u : 0755u) << entry.path;
    }
  }
  EXPECT_THAT(make_root(spec_of({})), IsEmpty());
}

TEST(MakeRoot, FoldersAndFilesHaveOwners) {
  ImageSpec spec =
      spec_of({{"/data/x", {}, 0600, {1, 2}}}, {{"/data", 01770, {3, 4}}, {"/tmp", 01777}},
              {{"/data/link", "x", {5, 6}}});
  spec.working_dir = "/data";  // needs the folder, and leaves it as it is given
  const auto root = make_root(spec);
  ASSERT_THAT(names(root), ElementsAre("data/", "data/link", "data/x", "tmp/"));
  EXPECT_EQ(root[0].mode, 01770u);
  EXPECT_EQ(root[0].owner, (Owner{3, 4}));
  EXPECT_EQ(root[1].target, "x");
  EXPECT_EQ(root[1].owner, (Owner{5, 6}));
  EXPECT_EQ(root[2].owner, (Owner{1, 2}));
  EXPECT_EQ(root[3].mode, 01777u);
  EXPECT_EQ(root[3].owner, Owner());
}

TEST(MakeRoot, RefusesTwoThingsOfOnePath) {
  const auto make = [](std::string a, std::string b, std::vector<RootFolder> folders = {},
                       std::vector<RootLink> links = {}) {
    make_root(spec_of({{std::move(a), {}, 0644}, {std::move(b), {}, 0644}}, std::move(folders),
                      std::move(links)));
  };
  EXPECT_ERROR(make("/a", "/a"), usage, HasSubstr("'/a' is given twice"));
  EXPECT_ERROR(make("/x/a", "/x/./a"), usage, HasSubstr("'/x/a' is given twice"));
  EXPECT_ERROR(make("/a", "/a/b"), usage, HasSubstr("'/a' is a file, but another path needs"));
  EXPECT_ERROR(make("/a/b", "/a"), usage, HasSubstr("'/a' is a file, but another path needs"));
  EXPECT_ERROR(make("/a", "/b", {{"/b"}}), usage, HasSubstr("'/b' is a file"));
  EXPECT_ERROR(make("/a", "/b", {{"/b/c"}}), usage, HasSubstr("'/b' is a file"));
  EXPECT_ERROR(make("/a", "/b", {}, {{"/b", "a"}}), usage, HasSubstr("'/b' is given twice"));
  EXPECT_ERROR(make("/a", "/b/c", {}, {{"/b", "a"}}), usage,
               HasSubstr("'/b' is a symbolic link, but another path needs it to be a folder"));
  EXPECT_ERROR(make("/a", "/b", {{"/c"}}, {{"/c", "a"}}), usage,
               HasSubstr("'/c' is a symbolic link"));
  EXPECT_ERROR(make("/a", "/b", {{"/c"}, {"/c/", 0700}}), usage,
               HasSubstr("'/c' is given twice, with different modes or owners"));
  EXPECT_ERROR(make("/a", "/b", {{"/c", 0755, {1, 1}}, {"/c"}}), usage, HasSubstr("owners"));
  EXPECT_NO_THROW(make("/a", "/c/b", {{"/c", 0700}, {"/c", 0700}}));
}

TEST(MakeRoot, RefusesFilesThatAreFolders) {
  EXPECT_ERROR(make_root(spec_of({{"/", {}, 0644}})), usage, HasSubstr("names a folder"));
  EXPECT_ERROR(make_root(spec_of({{"/etc/", {}, 0644}})), usage, HasSubstr("names a folder"));
  EXPECT_ERROR(make_root(spec_of({{"/etc/.", {}, 0644}})), usage, HasSubstr("names a folder"));
  EXPECT_ERROR(make_root(spec_of({{"/a", {}, 0100644}})), usage, HasSubstr("mode 100644"));
  EXPECT_ERROR(make_root(spec_of({}, {{"/a", 010000}})), usage, HasSubstr("mode 10000"));
  EXPECT_ERROR(make_root(spec_of({}, {{"/", 0755}})), usage, HasSubstr("is the root"));
  EXPECT_ERROR(make_root(spec_of({}, {}, {{"/", "a"}})), usage, HasSubstr("is the root"));
  EXPECT_ERROR(make_root(spec_of({{"/a", {}, 0644, {0x80000000, 0}}})), usage,
               HasSubstr("owner 2147483648:0; 2147483647 is"));
}

TEST(MakeRoot, RefusesLinksThatLeadAboveTheRoot) {
  const auto make = [](std::string path, std::string target) {
    make_root(spec_of({}, {}, {{std::move(path), std::move(target)}}));
  };
  for (const char* target : {"../x", "..", "/..", "/../etc/passwd", "a/../../x", "./../../x"}) {
    EXPECT_ERROR(make("/l", target), usage, HasSubstr("above the root of the image"));
  }
  EXPECT_ERROR(make("/a/b/l", "../../../x"), usage, HasSubstr("above the root of the image"));
  for (const char* target : {"../../x", "../..", "x", "/a", "a/../b", "..."}) {
    EXPECT_NO_THROW(make("/a/b/l", target)) << target;
  }
  EXPECT_ERROR(make("/l", ""), usage, HasSubstr("no path"));
  EXPECT_ERROR(make("/l", std::string("a\0b", 3)), usage, HasSubstr("not UTF-8"));
  EXPECT_ERROR(make("/l", "\xff"), usage, HasSubstr("not UTF-8"));
  EXPECT_ERROR(make("/l", std::string(4096, 'x')), usage, HasSubstr("longer"));
}

}  // namespace
}  // namespace whittle::imagegen
