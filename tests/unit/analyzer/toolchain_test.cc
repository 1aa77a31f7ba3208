// SPDX-License-Identifier: MIT
#include "analyzer/toolchain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "tests/unit/analyzer/programs.h"
#include "tests/unit/common/elf_builder.h"

namespace whittle::analyzer {
namespace {

using namespace std::string_literals;
using test::ElfSpec;
using testing::StartsWith;

Toolchain detect(const ElfSpec& spec, const std::string& interpreter = {},
                 const std::vector<std::string>& needed = {}) {
  const test::ElfImage image = test::build(spec);
  std::vector<std::string> warnings;
  return detect_toolchain(elf::File::parse(image.bytes, "f"), interpreter, needed, warnings);
}

TEST(ToolchainOf, NothingKnownStaysEmpty) {
  const Toolchain toolchain = detect({});
  EXPECT_EQ(toolchain.language, "");
  EXPECT_EQ(toolchain.compiler, "");
  EXPECT_EQ(toolchain.libc, "");
}

TEST(ToolchainOf, CratesAreListedOrNamedByPaths) {
  ElfSpec spec;
  spec.data = "/registry/src/x/serde-1.0.2/src/lib.rs /registry/src/x/memchr-2.0.0/src/lib.rs";
  EXPECT_EQ(detect(spec).language, "");  // a text alone could be anybody's
  std::string list = R"({"packages":[{"name":"serde","version":"1.0.2"}]})";
  std::string packed(::compressBound(list.size()), '\0');
  uLongf size = packed.size();
  ASSERT_EQ(::compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                       reinterpret_cast<const Bytef*>(list.data()), list.size()),
            Z_OK);
  spec.sections = {{".dep-v0", packed.substr(0, size)}};
  const Toolchain toolchain = detect(spec);
  EXPECT_EQ(toolchain.language, "Rust");
  ASSERT_EQ(toolchain.modules.size(), 2u);
  EXPECT_EQ(toolchain.modules[0].path, "serde");
  EXPECT_EQ(toolchain.modules[0].confidence, "high");
  EXPECT_EQ(toolchain.modules[1].path, "memchr");
  EXPECT_EQ(toolchain.modules[1].confidence, "medium");

  spec.sections = {{".dep-v0", "damaged"}};
  const Bytes damaged = test::build(spec).bytes;
  std::vector<std::string> warnings;
  EXPECT_EQ(detect_toolchain(elf::File::parse(damaged, "f"), "", {}, warnings).modules.size(), 2u);
  EXPECT_THAT(warnings, testing::ElementsAre(testing::HasSubstr(".dep-v0 cannot be unpacked")));
}

TEST(ToolchainOf, CommentSection) {
  ElfSpec spec;
  spec.sections = {{".comment", "Linker: LLD 14.0.6\0GCC: (Debian 12.2.0) 12.2.0\0"s}};
  EXPECT_EQ(detect(spec).language, "C/C++");
  EXPECT_EQ(detect(spec).compiler, "GCC: (Debian 12.2.0) 12.2.0");
  spec.sections = {{".comment", "Debian clang version 14.0.6\0"s}};
  EXPECT_EQ(detect(spec).compiler, "Debian clang version 14.0.6");
  spec.sections = {{".comment", "GCC: (GNU) 9.4.0\0rustc version 1.63.0 (abc 2022)\0"s}};
  EXPECT_EQ(detect(spec).language, "Rust");
  EXPECT_EQ(detect(spec).compiler, "rustc version 1.63.0 (abc 2022)");
  spec.sections = {{".comment", "not terminated"}};
  EXPECT_EQ(detect(spec).language, "");
}

TEST(ToolchainOf, RustWithoutSections) {
  const std::string commit(40, 'a');
  ElfSpec spec;
  spec.code = "see /rustc/ and /rustc/" + commit + "/library/alloc/src/vec/mod.rs";
  EXPECT_EQ(detect(spec).language, "Rust");
  EXPECT_EQ(detect(spec).compiler, "rustc, commit " + commit);
  spec.code = "see /rustc/" + commit + "/elsewhere";
  EXPECT_EQ(detect(spec).language, "");
}

TEST(ToolchainOf, Libc) {
  EXPECT_EQ(detect({}, "/lib64/ld-linux-x86-64.so.2").libc, "glibc");
  EXPECT_EQ(detect({}, "", {"libc.so.6"}).libc, "glibc");
  EXPECT_EQ(detect({}, "/lib/ld-musl-x86_64.so.1").libc, "musl");
  EXPECT_EQ(detect({}, "", {"libc.musl-x86_64.so.1"}).libc, "musl");
  ElfSpec note;
  note.notes = {{"GNU", elf::kNoteGnuAbiTag, std::string(16, '\0')}};
  EXPECT_EQ(detect(note).libc, "glibc");
  ElfSpec section;
  section.sections = {{"__libc_freeres_fn", "x"}};
  EXPECT_EQ(detect(section).libc, "glibc");
  ElfSpec musl;
  musl.code = "\0No error information\0Illegal byte sequence\0"s;
  EXPECT_EQ(detect(musl).libc, "musl");
  EXPECT_EQ(detect(musl).language, "C/C++");
}

TEST(ToolchainOf, OsAbiComesLast) {
  test::ElfImage image = test::build({});
  image.set(7, 1, 3);
  std::vector<std::string> warnings;
  EXPECT_EQ(detect_toolchain(elf::File::parse(image.bytes, "f"), "", {}, warnings).libc, "glibc");
}

TEST(ToolchainOf, RealPrograms) {
  struct Expected {
    std::string program, language, compiler_start, libc;
  };
  for (const Expected& e :
       {Expected{"c_static", "C/C++", "GCC: ", "glibc"},
        Expected{"c_static_pie", "C/C++", "GCC: ", "glibc"},
        Expected{"c_dynamic", "C/C++", "GCC: ", "glibc"},
        Expected{"musl_static", "C/C++", "GCC: ", "musl"},
        Expected{"musl_dynamic", "C/C++", "GCC: ", "musl"},
        Expected{"c_rust_comment", "Rust", "rustc version 1.63.0", "glibc"},
        Expected{"go_static", "Go", "go1.", ""}, Expected{"go_mips", "Go", "go1.", ""}}) {
    WHITTLE_NEEDS_PROGRAM(e.program);
    const Bytes bytes = test::load_program(e.program);
    const elf::File file = elf::File::parse(bytes, e.program);
    std::vector<std::string> warnings;
    const Toolchain toolchain = detect_toolchain(
        file, file.interpreter().value_or(""), file.dynamic_strings(elf::kDynamicNeeded), warnings);
    EXPECT_TRUE(warnings.empty()) << e.program;
    EXPECT_EQ(toolchain.language, e.language) << e.program;
    EXPECT_THAT(toolchain.compiler, StartsWith(e.compiler_start)) << e.program;
    EXPECT_EQ(toolchain.libc, e.libc) << e.program;
  }
}

}  // namespace
}  // namespace whittle::analyzer
