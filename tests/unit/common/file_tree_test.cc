// SPDX-License-Identifier: MIT
#include "common/file_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "common/file.h"
#include "tests/unit/common/elf_builder.h"
#include "tests/unit/common/memory_tree.h"
#include "tests/unit/common/scratch.h"

namespace whittle {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

std::string lead(const FileTree& tree, std::string_view path) {
  const auto found = resolve(tree, path);
  return found ? found->path : "nowhere";
}

TEST(Resolve, FollowsLinksInsideTheRoot) {
  test::MemoryTree tree;
  tree.folder("/usr/bin").file("/usr/bin/sh", "x").link("/bin", "usr/bin").link("/sbin", "/bin");
  tree.link("/up", "../../../usr/./bin/sh").link("/usr/bin/dash", "sh").link("/usr/x", "../bin/sh");
  EXPECT_EQ(lead(tree, "/bin/sh"), "/usr/bin/sh");
  EXPECT_EQ(lead(tree, "/sbin//dash"), "/usr/bin/sh");
  EXPECT_EQ(lead(tree, "/up"), "/usr/bin/sh");
  EXPECT_EQ(lead(tree, "/usr/x"), "/usr/bin/sh");
  EXPECT_EQ(lead(tree, "/../usr/bin/../bin/./sh"), "/usr/bin/sh");
  // The parent of where a link leads, not of where it lies.
  EXPECT_EQ(lead(tree, "/bin/.."), "/usr");
  EXPECT_EQ(lead(tree, "/"), "/");
  EXPECT_EQ(lead(tree, ""), "/");
  EXPECT_EQ(lead(tree, "/bin/"), "/usr/bin");
  EXPECT_THAT(resolve(tree, "/bin/sh")->folders, ElementsAre("/", "/usr", "/usr/bin"));
}

TEST(Resolve, LeadsNowhere) {
  test::MemoryTree tree;
  tree.file("/file", "x").link("/loop", "loop").link("/a", "/b").link("/b", "a").link("/gone", "x");
  tree.link("/empty", "");
  for (const char* path : {"/missing", "/missing/..", "/file/x", "/file/..", "/file/", "/file/.",
                           "/loop", "/a", "/gone", "/empty"}) {
    EXPECT_EQ(lead(tree, path), "nowhere") << path;
  }
}

TEST(Resolve, FollowsAsManyLinksAsTheKernel) {
  test::MemoryTree tree;
  tree.file("/0", "x");
  for (int i = 1; i <= 41; i++) tree.link("/" + std::to_string(i), std::to_string(i - 1));
  EXPECT_EQ(lead(tree, "/40"), "/0");
  EXPECT_EQ(lead(tree, "/41"), "nowhere");
}

TEST(FolderTree, IsWhatLiesInTheFolder) {
  const test::Scratch scratch;
  const auto put = [&](const std::string& name, ByteView bytes, mode_t mode) {
    fs::create_directories((scratch.path() / name).parent_path());
    write_file_atomic(scratch.path() / name, bytes, mode);
  };
  test::ElfSpec spec;
  spec.interpreter = "/ld.so";
  spec.needed = {"liba.so"};
  put("bin/app", test::build(spec).bytes, 0755);
  put("bin/text", as_bytes("some text"), 0644);
  put("bin/damaged",
      as_bytes("\x7f"
               "ELF?"),
      0644);
  fs::create_symlink("app", scratch.path() / "bin/link");
  const FolderTree tree(scratch.path());
  EXPECT_EQ(lead(tree, "/bin/link"), "/bin/app");
  EXPECT_TRUE(tree.find("/bin")->is_folder());
  EXPECT_EQ(tree.find("/bin/text")->mode, 0644u);
  EXPECT_EQ(tree.find("/bin/text")->size, 9u);
  EXPECT_EQ(tree.find("/bin/text")->owner, ::geteuid());
  EXPECT_EQ(tree.find("/bin/link")->target, "app");
  EXPECT_FALSE(tree.find("/bin/none"));
  EXPECT_THAT(tree.names("/bin"), ElementsAre("app", "damaged", "link", "text"));
  EXPECT_THAT(tree.names("/none"), IsEmpty());
  EXPECT_EQ(as_text(*tree.read("/bin/text", 4)), "some");
  EXPECT_EQ(as_text(*tree.read("/bin/text", 100)), "some text");
  EXPECT_FALSE(tree.read("/bin", 4));
  const auto object = tree.object("/bin/app");
  ASSERT_NE(object, nullptr);
  EXPECT_EQ(object->interpreter, "/ld.so");
  EXPECT_THAT(object->needed, ElementsAre("liba.so"));
  EXPECT_EQ(tree.object("/bin/text"), nullptr);
  EXPECT_EQ(tree.object("/bin/damaged"), nullptr);
  EXPECT_EQ(tree.object("/bin"), nullptr);
}

}  // namespace
}  // namespace whittle
