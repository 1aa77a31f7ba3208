// SPDX-License-Identifier: MIT
#include "flow/artifacts.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/unit/common/scratch_test.h"

namespace whittle::flow {
namespace {

using test::error_of;
using test::ScratchTest;

namespace fs = std::filesystem;
using testing::HasSubstr;

class ArtifactsTest : public ScratchTest {
 protected:
  ArtifactsTest() {
    fs::create_directory(folder / "outside");
    work = folder / "work";
    fs::create_directories(work / "src");
    former_mask = ::umask(077);  // copies must not depend on it
  }
  ~ArtifactsTest() override { ::umask(former_mask); }
  void copy(const std::string& source, const std::string& to = ".") {
    copy_artifact({.source = source, .folder = to}, work / "src", work);
  }
  Error refusal(const std::string& source, const std::string& to = ".") {
    return error_of([&] { copy(source, to); });
  }

  fs::path work;
  mode_t former_mask;
};

TEST_F(ArtifactsTest, CopiesFilesWithTheirModes) {
  for (const int bits : {0755, 0644, 0600, 0555, 0751}) {
    write("work/src/app", "text " + std::to_string(bits), bits);
    copy("app", "bin/deep");
    EXPECT_EQ(read("work/bin/deep/app"), "text " + std::to_string(bits));
    EXPECT_EQ(mode("work/bin/deep/app"), bits);
    fs::remove(folder / "work/src/app");
  }
}

TEST_F(ArtifactsTest, KeepsTheBaseNameOnly) {
  write("work/src/a/b/c.txt", "c");
  copy("a/b/c.txt");
  EXPECT_EQ(read("work/c.txt"), "c");
}

TEST_F(ArtifactsTest, CopiesFoldersWithEverythingInThem) {
  write("work/src/tree/x", "x", 0700);
  write("work/src/tree/sub/y", "y", 0640);
  fs::create_symlink("x", work / "src/tree/link");
  fs::permissions(work / "src/tree/sub", fs::perms(0711));
  copy("tree/", "out");
  EXPECT_EQ(read("work/out/tree/x"), "x");
  EXPECT_EQ(mode("work/out/tree/x"), 0700);
  EXPECT_EQ(mode("work/out/tree/sub"), 0711);
  EXPECT_EQ(mode("work/out/tree/sub/y"), 0640);
  EXPECT_EQ(fs::read_symlink(work / "out/tree/link"), "x");
  copy("tree", "out");  // again, over what is there
  EXPECT_EQ(read("work/out/tree/sub/y"), "y");
}

TEST_F(ArtifactsTest, WhatLiesInItsPlaceStays) {
  write("work/app", "app", 0755);
  copy_artifact({.source = "app", .folder = "."}, work, work);
  EXPECT_EQ(read("work/app"), "app");
  EXPECT_EQ(mode("work/app"), 0755);
}

TEST_F(ArtifactsTest, AMissingArtifactIsTheStepsFailure) {
  const Error error = refusal("nothing");
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_THAT(error.what(), HasSubstr("the step did not create it"));
}

TEST_F(ArtifactsTest, LinksThatLeadOutAreRefused) {
  write("outside/secret", "secret");
  fs::create_symlink(folder / "outside/secret", work / "src/direct");
  EXPECT_EQ(refusal("direct").kind(), ErrorKind::refused);
  fs::create_symlink("../../outside", work / "src/parent");
  EXPECT_EQ(refusal("parent/secret").kind(), ErrorKind::refused);
  fs::create_directory(work / "src/tree");
  fs::create_symlink("../../../outside/secret", work / "src/tree/inner");
  EXPECT_EQ(refusal("tree").kind(), ErrorKind::refused);
  EXPECT_FALSE(fs::exists(work / "tree/inner"));
}

TEST_F(ArtifactsTest, TargetsThatLeadOutAreRefused) {
  write("work/src/app", "app");
  fs::create_symlink(folder / "outside", work / "exit");
  EXPECT_EQ(refusal("app", "exit").kind(), ErrorKind::refused);
  EXPECT_EQ(refusal("app", "exit/new").kind(), ErrorKind::refused);
  fs::create_directory(work / "bin");
  fs::create_symlink(folder / "outside/app", work / "bin/app");
  EXPECT_EQ(refusal("app", "bin").kind(), ErrorKind::refused);
  EXPECT_TRUE(fs::is_empty(folder / "outside"));
}

TEST_F(ArtifactsTest, AFolderIsNotCopiedIntoItself) {
  write("work/src/a", "a");
  EXPECT_THAT(refusal(".", "src/inner").what(), HasSubstr("into itself"));
}

TEST_F(ArtifactsTest, SpecialFilesAreRefused) {
  fs::create_directory(work / "src/tree");
  ASSERT_EQ(::mkfifo((work / "src/tree/fifo").c_str(), 0600), 0);
  EXPECT_EQ(refusal("tree").kind(), ErrorKind::refused);
}

}  // namespace
}  // namespace whittle::flow
