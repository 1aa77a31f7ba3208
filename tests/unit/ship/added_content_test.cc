// SPDX-License-Identifier: MIT
#include "ship/added_content.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/unit/common/scratch_test.h"

namespace whittle::ship {
namespace {

using test::error_of;
using test::ScratchTest;

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ImageContentTest : public ScratchTest {
 protected:
  // What comes of it: "PATH MODE USER:GROUP CONTENT" of files, then of folders, then of links.
  std::vector<std::string> content(std::vector<std::string> add,
                                   std::vector<std::string> add_dir = {}) {
    ImageRequest block;
    block.add = std::move(add);
    block.add_dir = std::move(add_dir);
    imagegen::ImageSpec spec;
    warnings = add_content(block, folder, spec);
    std::vector<std::string> lines;
    const auto attributes = [](const auto& one) {
      return fmt::format("{} {:04o} {}:{}", one.path, one.mode, one.owner.user, one.owner.group);
    };
    for (const auto& file : spec.files) {
      lines.push_back(attributes(file) + " " + std::string(as_text(file.content)));
    }
    for (const auto& one : spec.folders) lines.push_back(attributes(one) + "/");
    for (const auto& link : spec.links) {
      lines.push_back(
          fmt::format("{} {}:{} -> {}", link.path, link.owner.user, link.owner.group, link.target));
    }
    return lines;
  }
  void set_mode(const std::string& name, int mode) const {
    ASSERT_EQ(::chmod((folder / name).c_str(), static_cast<mode_t>(mode)), 0);
  }

  std::vector<std::string> warnings;
};

TEST_F(ImageContentTest, AFileHasTheModeAndOwnerGiven) {
  write("a", "A", 0600);
  EXPECT_THAT(content({"a:/x", "a:/y:4755", "a:/etc/:0640:1:2", "a:/z::3:4"}),
              ElementsAre("/x 0644 0:0 A", "/y 4755 0:0 A", "/etc/a 0640 1:2 A", "/z 0644 3:4 A"));
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(ImageContentTest, AFolderKeepsItsModesAndLinks) {
  write("site/run.sh", "#!", 0750);
  write("site/b/page", "P", 0444);
  fs::create_directory(folder / "site/empty");
  fs::create_symlink("b/page", folder / "site/first");
  fs::create_symlink("/etc/motd", folder / "site/motd");
  fs::create_directory_symlink("b", folder / "site/c");
  set_mode("site", 0700);
  set_mode("site/b", 02755);
  set_mode("site/empty", 01777);
  const auto expected = ElementsAre(
      "/srv/site/b/page 0444 0:0 P", "/srv/site/run.sh 0750 0:0 #!", "/srv/site 0700 0:0/",
      "/srv/site/b 0755 0:0/", "/srv/site/empty 1777 0:0/", "/srv/site/c 0:0 -> b",
      "/srv/site/first 0:0 -> b/page", "/srv/site/motd 0:0 -> /etc/motd");
  EXPECT_THAT(content({"site:/srv/site"}), expected);
  EXPECT_THAT(content({"site:/srv/"}), expected);
  // By way of a link, too.
  fs::create_directory_symlink("site", folder / "current");
  EXPECT_THAT(content({"current:/srv/site"}), expected);
}

TEST_F(ImageContentTest, WhatIsInAFolderMayGoIntoTheRoot) {
  write("root/etc/conf", "C");
  set_mode("root/etc", 0755);
  for (const char* entry : {"root/:/", "root:/", "root/.:/"}) {
    // "root:/" is /root, as for a file.
    const std::string prefix = std::string(entry) == "root:/" ? "/root" : "";
    const auto lines = content({entry});
    EXPECT_EQ(lines.front(), prefix + "/etc/conf 0644 0:0 C") << entry;
    EXPECT_EQ(lines.back(), prefix + "/etc 0755 0:0/") << entry;
    EXPECT_EQ(lines.size(), prefix.empty() ? 2u : 3u) << entry;
  }
}

// The mode is that of the files; who may read a folder may enter it.
TEST_F(ImageContentTest, AModeForAFolderIsThatOfItsFiles) {
  write("d/a", "A", 0600);
  fs::create_symlink("a", folder / "d/l");
  EXPECT_THAT(content({"d:/d:0640:7:8"}),
              ElementsAre("/d/a 0640 7:8 A", "/d 0750 7:8/", "/d/l 7:8 -> a"));
  EXPECT_THAT(content({"d:/d:6777"}),
              ElementsAre("/d/a 6777 0:0 A", "/d 0777 0:0/", "/d/l 0:0 -> a"));
}

TEST_F(ImageContentTest, PrivilegesAreNotTakenFromTheDisk) {
  write("d/a", "A", 0755);
  write("d/b", "B", 0755);
  set_mode("d/a", 04755);
  set_mode("d/b", 02755);
  set_mode("d", 0755);
  EXPECT_THAT(content({"d:/d"}), ElementsAre("/d/a 0755 0:0 A", "/d/b 0755 0:0 B", "/d 0755 0:0/"));
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("d/a is added without its set-uid and set-gid bits, "
                                              "and 1 more")));
}

TEST_F(ImageContentTest, ANamedFolderIsAsItIsNamed) {
  write("d/a/b", "B");
  set_mode("d", 0755);
  set_mode("d/a", 0755);
  EXPECT_THAT(
      content({"d:/srv"}, {"/tmp:1777", "/srv/a/:0700:1:1"}),
      ElementsAre("/srv/a/b 0644 0:0 B", "/tmp 1777 0:0/", "/srv/a/ 0700 1:1/", "/srv 0755 0:0/"));
}

TEST_F(ImageContentTest, RefusesWhatAnImageCannotHave) {
  write("d/a", "A");
  ASSERT_EQ(::mkfifo((folder / "d/pipe").c_str(), 0600), 0);
  const Error error = error_of([&] { content({"d:/d"}); });
  EXPECT_EQ(error.kind(), ErrorKind::refused);
  EXPECT_EQ(error.path(), (folder / "d/pipe").native());
  EXPECT_EQ(error_of([&] { content({"d/pipe:/p"}); }).kind(), ErrorKind::refused);
  EXPECT_EQ(error_of([&] { content({"/dev/null:/null"}); }).kind(), ErrorKind::refused);
  EXPECT_EQ(error_of([&] { content({"missing:/m"}); }).kind(), ErrorKind::io);
  EXPECT_EQ(error_of([&] { content({"d/a/:/m"}); }).kind(), ErrorKind::io);
}

// Sparse: nothing of it is read before its size is known.
TEST_F(ImageContentTest, RefusesMoreThanMemoryIsFor) {
  write("d/a", "");
  write("d/b", "");
  fs::resize_file(folder / "d/a", std::uint64_t{1} << 20);
  fs::resize_file(folder / "d/b", std::uint64_t{4} << 30);
  const Error error = error_of([&] { content({"d:/d"}); });
  EXPECT_EQ(error.kind(), ErrorKind::refused);
  EXPECT_THAT(error.what(), HasSubstr("d/b: makes more than the 4294967296 bytes"));
}

}  // namespace
}  // namespace whittle::ship
