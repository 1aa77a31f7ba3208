// SPDX-License-Identifier: MIT
#include "analyzer/linkage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analyzer/analyzer.h"
#include "tests/unit/analyzer/programs.h"
#include "tests/unit/common/elf_builder.h"

namespace whittle::analyzer {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Linkage linkage_of(const std::string& program) {
  return inspect(test::load_program(program), program, {.symbols = false}).linkage;
}

// A version without a number may ask for a newer glibc than all with one.
TEST(Linkage, KeepsVersionsWithoutANumber) {
  WHITTLE_NEEDS_PROGRAM("c_relr");
  EXPECT_THAT(linkage_of("c_relr").other_versions, ElementsAre("GLIBC_ABI_DT_RELR"));
  EXPECT_THAT(linkage_of("c_dynamic").other_versions, IsEmpty());
}

TEST(Linkage, OfALibraryIsItsVersions) {
  WHITTLE_NEEDS_PROGRAM("c_shared");
  const Linkage linkage = linkage_of("c_shared");
  ASSERT_EQ(linkage.versions.size(), 1u);
  EXPECT_THAT(linkage.versions[0].version, testing::StartsWith("GLIBC_"));
  EXPECT_THAT(linkage.causes, IsEmpty());
}

TEST(Linkage, NewestVersionIsReadelfs) {
  WHITTLE_NEEDS_PROGRAM("c_dynamic");
  const auto readelf =
      test::run("readelf --wide --version-info " + test::program_path("c_dynamic").native() +
                " | grep -o 'Name: GLIBC_2[0-9.]*' | cut -c 7- | sort -V | tail -n 1");
  const Linkage linkage = linkage_of("c_dynamic");
  ASSERT_EQ(linkage.versions.size(), 1u);
  EXPECT_EQ(linkage.versions[0].library, "libc.so.6");
  EXPECT_EQ(linkage.versions[0].version + "\n", readelf.output);
  EXPECT_THAT(linkage.versions[0].symbols, Contains("__libc_start_main"));
}

TEST(Linkage, OfC) {
  WHITTLE_NEEDS_PROGRAM("c_dynamic");
  const Linkage plain = linkage_of("c_dynamic");
  EXPECT_THAT(plain.causes, ElementsAre("was linked without -static"));
  EXPECT_THAT(plain.remedies, ElementsAre(HasSubstr("-static-pie")));
  EXPECT_THAT(plain.may_load, IsEmpty());
  EXPECT_THAT(linkage_of("needs_resolver_dynamic").remedies,
              Contains(HasSubstr("still loads libraries for getaddrinfo")));
  const Linkage own = linkage_of("runpath/bin/program");
  EXPECT_THAT(own.causes, Contains("uses libgreet.so"));
  EXPECT_THAT(own.may_load, ElementsAre("libplugin.so.3"));
}

TEST(Linkage, OfGo) {
  WHITTLE_NEEDS_PROGRAM("go_pie");
  EXPECT_THAT(linkage_of("go_pie").causes, Contains(HasSubstr("-buildmode=pie")));
  EXPECT_THAT(linkage_of("go_pie").remedies, Contains(HasSubstr("leave out")));
  WHITTLE_NEEDS_PROGRAM("go_cgo_own");
  const Linkage own = linkage_of("go_cgo_own");
  EXPECT_THAT(own.causes, Contains(HasSubstr("os/user")));
  EXPECT_THAT(own.remedies, Contains(HasSubstr("CGO_ENABLED=0")));
  WHITTLE_NEEDS_PROGRAM("go_cgo");
  const Linkage cgo = linkage_of("go_cgo");
  EXPECT_THAT(cgo.causes, Contains("calls C from main"));
  EXPECT_THAT(cgo.remedies, Contains(HasSubstr("-extldflags -static")));
  EXPECT_THAT(cgo.remedies, Not(Contains(HasSubstr("CGO_ENABLED=0"))));
}

TEST(Linkage, OfRust) {
  WHITTLE_NEEDS_PROGRAM("rust_dynamic");
  EXPECT_THAT(linkage_of("rust_dynamic").remedies, ElementsAre(HasSubstr("crt-static")));
}

TEST(Linkage, StaticProgramsHaveNone) {
  WHITTLE_NEEDS_PROGRAM("c_static");
  EXPECT_THAT(linkage_of("c_static").causes, IsEmpty());
  EXPECT_THAT(linkage_of("c_static").remedies, IsEmpty());
}

}  // namespace
}  // namespace whittle::analyzer
