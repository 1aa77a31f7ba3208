// SPDX-License-Identifier: MIT
#include "analyzer/libraries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analyzer/analyzer.h"
#include "tests/unit/analyzer/programs.h"
#include "tests/unit/common/elf_builder.h"
#include "tests/unit/common/mutate.h"
#include "tests/unit/common/scratch.h"

namespace whittle::analyzer {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class LibrariesTest : public testing::Test {
 protected:
  fs::path path(const std::string& name) const { return scratch_.path() / name; }
  void put(const std::string& name, ByteView bytes) {
    fs::create_directories(path(name).parent_path());
    write_file_atomic(path(name), bytes, 0755);
  }
  void put_library(const std::string& name, std::vector<std::string> needed = {},
                   std::uint16_t machine = elf::kMachineX86_64) {
    test::ElfSpec spec;
    spec.type = elf::kTypeDyn;
    spec.soname = name.substr(name.rfind('/') + 1);
    spec.needed = std::move(needed);
    spec.machine = machine;
    put(name, test::build(spec).bytes);
  }
  LibraryTree find(std::vector<std::string> needed, const std::string& interpreter = "/ld.so") {
    test::ElfSpec spec;
    spec.interpreter = interpreter;
    spec.needed = std::move(needed);
    const Bytes bytes = test::build(spec).bytes;
    const FolderTree tree(scratch_.path());
    return LibraryFinder(tree).find(describe_object(elf::File::parse(bytes, "f")), "/bin/program");
  }

  test::Scratch scratch_;
};

TEST_F(LibrariesTest, AreFoundInTheSystemsFolders) {
  put_library("ld.so");
  put_library("usr/lib/x86_64-linux-gnu/libc.so.6");
  put_library("opt/libs/libown.so", {"libc.so.6", "libgone.so"});
  put("etc/ld.so.cache", as_bytes("made of these"));
  put("etc/ld.so.conf", as_bytes("# comment\ninclude /etc/ld.so.conf.d/*.conf\n"));
  put("etc/ld.so.conf.d/own.conf", as_bytes("/opt/libs\n"));
  put("etc/ld.so.conf.d/ignored", as_bytes("/nowhere\n"));
  const LibraryTree tree = find({"libown.so", "libc.so.6"});
  EXPECT_EQ(tree.interpreter, "/ld.so");
  ASSERT_EQ(tree.libraries.size(), 2u);
  EXPECT_EQ(tree.libraries[0].path, "/opt/libs/libown.so");
  EXPECT_EQ(tree.libraries[0].found_by, "system");
  ASSERT_EQ(tree.libraries[0].needed.size(), 2u);
  EXPECT_TRUE(tree.libraries[0].needed[0].repeated);
  EXPECT_EQ(tree.libraries[0].needed[1].path, "");
  EXPECT_EQ(tree.libraries[1].path, "/usr/lib/x86_64-linux-gnu/libc.so.6");
  EXPECT_THAT(tree.missing, ElementsAre("libgone.so"));
}

TEST_F(LibrariesTest, OfAnotherMachineArePassedOver) {
  put_library("ld.so");
  put_library("lib/x86_64-linux-gnu/liba.so", {}, elf::kMachineAarch64);
  put_library("usr/lib/liba.so");
  put("lib/libb.so", as_bytes("/* GNU ld script */"));
  const LibraryTree tree = find({"liba.so", "libb.so"});
  EXPECT_EQ(tree.libraries[0].path, "/usr/lib/liba.so");
  EXPECT_THAT(tree.missing, ElementsAre("libb.so"));
}

TEST_F(LibrariesTest, LinksStayInTheRoot) {
  put_library("ld.so");
  put_library("real/liba.so.1");
  fs::create_directories(path("usr/lib"));
  fs::create_symlink("/usr/lib", path("lib"));  // absolute: of the root, not of this machine
  fs::create_symlink("../../../../../real/liba.so.1", path("usr/lib/liba.so"));
  fs::create_symlink("libloop.so", path("usr/lib/libloop.so"));
  const LibraryTree tree = find({"liba.so", "libloop.so"});
  EXPECT_EQ(tree.libraries[0].path, "/real/liba.so.1");
  EXPECT_THAT(tree.missing, ElementsAre("libloop.so"));
}

TEST_F(LibrariesTest, AnEmptyRootMissesEverything) {
  const LibraryTree tree = find({"libc.so.6"}, "/lib64/ld-linux-x86-64.so.2");
  EXPECT_EQ(tree.interpreter, "");
  EXPECT_THAT(tree.missing, ElementsAre("/lib64/ld-linux-x86-64.so.2", "libc.so.6"));
}

TEST_F(LibrariesTest, MuslReadsAFileOfFolders) {
  put_library("lib/ld-musl-x86_64.so.1");
  put_library("opt/a/liba.so");
  put_library("opt/b/libb.so");
  put_library("lib/libc2.so");
  const std::vector<std::string> needed = {"liba.so", "libb.so", "libc2.so"};
  const std::string loader = "/lib/ld-musl-x86_64.so.1";
  EXPECT_THAT(find(needed, loader).missing, ElementsAre("liba.so", "libb.so"));
  put("etc/ld-musl-x86_64.path", as_bytes("/opt/a:/nowhere\n/opt/b\n"));
  EXPECT_THAT(find(needed, loader).missing, ElementsAre("libc2.so"));  // instead of its own folders
  put("etc/ld-musl-aarch64.path", as_bytes("/lib\n"));
  EXPECT_THAT(find(needed, loader).missing, ElementsAre("libc2.so"));
}

TEST_F(LibrariesTest, MuslsLoaderIsItsLibrary) {
  put_library("lib/ld-musl-x86_64.so.1");
  const LibraryTree tree = find({"libc.so", "libc.musl-x86_64.so.1"}, "/lib/ld-musl-x86_64.so.1");
  EXPECT_THAT(tree.missing, IsEmpty());
  EXPECT_EQ(tree.libraries[0].path, "/lib/ld-musl-x86_64.so.1");
}

// As systemd-analyze does it: its search path finds a library that others then need, too, whose own
// search paths do not lead there.
TEST_F(LibrariesTest, WhatIsLoadedIsNotSearchedFor) {
  put_library("ld.so");
  put_library("lib/liba.so", {"libb.so"});
  put_library("lib/libb.so", {"libshared.so"});
  put_library("opt/libshared.so");
  const LibraryTree tree = find({"liba.so", "/opt/libshared.so"});
  EXPECT_THAT(tree.missing, IsEmpty());
  const Library& found = tree.libraries.at(0).needed.at(0).needed.at(0);
  EXPECT_EQ(found.name, "libshared.so");
  EXPECT_EQ(found.path, "/opt/libshared.so");
  EXPECT_EQ(found.found_by, "path");
}

TEST_F(LibrariesTest, MuslKnowsLoadedLibrariesByTheNameThatWasAskedForOnly) {
  put_library("lib/ld-musl-x86_64.so.1");
  put_library("lib/liba.so", {"libshared.so", "/opt/libshared.so"});
  put_library("opt/libshared.so");
  const LibraryTree tree = find({"liba.so", "/opt/libshared.so"}, "/lib/ld-musl-x86_64.so.1");
  EXPECT_THAT(tree.missing, ElementsAre("libshared.so"));
  EXPECT_EQ(tree.libraries.at(0).needed.at(1).path, "/opt/libshared.so");
}

TEST_F(LibrariesTest, ACircleEnds) {
  put_library("ld.so");
  put_library("lib/liba.so", {"libb.so"});
  put_library("lib/libb.so", {"liba.so"});
  const LibraryTree tree = find({"liba.so"});
  EXPECT_THAT(tree.missing, IsEmpty());
  EXPECT_TRUE(tree.libraries[0].needed[0].needed[0].repeated);
}

// What is not looked for is not there, as far as anybody knows.
TEST_F(LibrariesTest, TooManyAreNotPassedOver) {
  put_library("ld.so");
  std::vector<std::string> many;
  for (int i = 0; i < 2001; i++) many.push_back("lib" + std::to_string(i) + ".so");
  for (const std::string& name : many) put_library("lib/" + name);
  EXPECT_THAT(find({many.begin(), many.end() - 1}).missing, IsEmpty());
  EXPECT_THAT(find(many).missing, ElementsAre("what comes after the first 2000 libraries"));
}

TEST_F(LibrariesTest, AConfigurationThatIncludesItselfEnds) {
  put_library("ld.so");
  put_library("opt/liba.so");
  std::string text;
  for (int i = 0; i < 1000; i++) text += "include /etc/ld.so.conf /etc/ld.so.*\n";
  put("etc/ld.so.cache", {});
  put("etc/ld.so.conf", as_bytes(text + "/opt\n"));
  EXPECT_THAT(find({"liba.so"}).missing, IsEmpty());
}

TEST_F(LibrariesTest, AnIncludeIsRelativeToItsFile) {
  put_library("ld.so");
  put_library("opt/liba.so");
  put("etc/ld.so.cache", {});
  put("etc/ld.so.conf", as_bytes("include ld.so.conf.d/*.conf\n"));
  put("etc/ld.so.conf.d/a.conf", as_bytes("/opt\n"));
  EXPECT_THAT(find({"liba.so"}).missing, IsEmpty());
}

TEST_F(LibrariesTest, WithoutItsCacheTheLoaderKnowsNoConfiguration) {
  put_library("ld.so");
  put_library("opt/liba.so");
  put("etc/ld.so.conf", as_bytes("/opt\n"));
  EXPECT_THAT(find({"liba.so"}).missing, ElementsAre("liba.so"));
}

TEST_F(LibrariesTest, TheInterpreterIsForTheProgramsMachine) {
  put_library("ld.so", {}, elf::kMachineAarch64);
  EXPECT_THAT(find({}).missing, ElementsAre("/ld.so"));
}

// A real loader's answer for a program with a search path of its own.
TEST(Libraries, RunPathIsReadAsTheLoaderReadsIt) {
  WHITTLE_NEEDS_PROGRAM("runpath/bin/program");
  const fs::path program = test::program_path("runpath/bin/program");
  const auto files = audit({program}, {.root = "/", .progress = {}});
  ASSERT_TRUE(files.at(0).report && files[0].report->linkage.libraries);
  const LibraryTree& tree = *files[0].report->linkage.libraries;
  EXPECT_THAT(tree.missing, IsEmpty());
  ASSERT_FALSE(tree.libraries.empty());
  EXPECT_EQ(tree.libraries[0].name, "libgreet.so");
  EXPECT_EQ(tree.libraries[0].found_by, "RUNPATH");
  EXPECT_EQ(fs::path(tree.libraries[0].path),
            fs::canonical(test::program_path("runpath/lib/libgreet.so")));
  EXPECT_EQ(test::run(program.native()).exit_code, 0);
}

TEST(Libraries, ARootThatIsNoneIsAnError) {
  test::expect_error(ErrorKind::io, [] { FolderTree("/nonexistent"); });
  test::expect_error(ErrorKind::io, [] { FolderTree("/proc/self/status"); });
}

}  // namespace
}  // namespace whittle::analyzer
