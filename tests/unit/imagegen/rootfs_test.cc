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

TEST(MakeRoot, AddsParentsAndSorts) {
  const std::vector<RootFile> files = {{"/usr/share/x/y", to_bytes("y"), 0600},
                                       {"/usr-local", {}, 0644},
                                       {"/app", to_bytes("a"), 04755}};
  const auto root = make_root(files, {"/", "/data/"});
  EXPECT_THAT(names(root), ElementsAre("app", "data/", "usr/", "usr-local", "usr/share/",
                                       "usr/share/x/", "usr/share/x/y"));
  EXPECT_EQ(root[0].mode, 04755u);
  EXPECT_EQ(root[1].mode, 0755u);
  EXPECT_EQ(as_text(root[6].content), "y");
}

TEST(MakeRoot, DoesNotDependOnTheOrderGiven) {
  const std::vector<RootFile> one = {{"/b/c", {}, 0644}, {"/a", {}, 0644}};
  const std::vector<RootFile> other = {{"/a", {}, 0644}, {"/b/c", {}, 0644}};
  EXPECT_EQ(names(make_root(one, {})), names(make_root(other, {})));
  EXPECT_THAT(make_root({}, {}), IsEmpty());
}

TEST(MakeRoot, RefusesTwoThingsOfOnePath) {
  const auto make = [](std::string a, std::string b, std::vector<std::string> folders = {}) {
    make_root({{std::move(a), {}, 0644}, {std::move(b), {}, 0644}}, folders);
  };
  EXPECT_ERROR(make("/a", "/a"), usage, HasSubstr("'/a' is given twice"));
  EXPECT_ERROR(make("/x/a", "/x/./a"), usage, HasSubstr("'/x/a' is given twice"));
  EXPECT_ERROR(make("/a", "/a/b"), usage, HasSubstr("'/a' is a file, but another path needs"));
  EXPECT_ERROR(make("/a/b", "/a"), usage, HasSubstr("'/a' is a file, but another path needs"));
  EXPECT_ERROR(make("/a", "/b", {"/b"}), usage, HasSubstr("'/b' is a file"));
  EXPECT_ERROR(make("/a", "/b", {"/b/c"}), usage, HasSubstr("'/b' is a file"));
}

TEST(MakeRoot, RefusesFilesThatAreFolders) {
  EXPECT_ERROR(make_root({{"/", {}, 0644}}, {}), usage, HasSubstr("names a folder"));
  EXPECT_ERROR(make_root({{"/etc/", {}, 0644}}, {}), usage, HasSubstr("names a folder"));
  EXPECT_ERROR(make_root({{"/etc/.", {}, 0644}}, {}), usage, HasSubstr("names a folder"));
  EXPECT_ERROR(make_root({{"/a", {}, 0100644}}, {}), usage, HasSubstr("mode 100644"));
}

}  // namespace
}  // namespace whittle::imagegen
