// SPDX-License-Identifier: MIT
//
// Every rule is tried on programs that have the need and on ones that do not. That the programs do
// fail in an empty root filesystem for that reason is tests/e2e/needs_in_an_empty_root.sh.
#include "analyzer/needs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "analyzer/analyzer.h"
#include "analyzer/need_rules.h"
#include "analyzer/policy.h"
#include "common/file.h"
#include "tests/unit/analyzer/programs.h"
#include "tests/unit/common/elf_builder.h"
#include "tests/unit/common/mutate.h"

namespace whittle::analyzer {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAreArray;

std::vector<std::string> ids(const BinaryReport& report) {
  std::vector<std::string> out;
  for (const Need& need : report.needs) out.push_back(need.id.substr(6) + " " + need.confidence);
  return out;
}

std::vector<std::string> needs_of(const std::string& program) {
  return ids(inspect(test::load_program(program), program, {.symbols = false}));
}

struct Expectation {
  const char* program;
  std::vector<std::string> needs;
};

class NeedsOf : public testing::TestWithParam<Expectation> {};

TEST_P(NeedsOf, AreTheseAndNoOthers) {
  const auto& [program, needs] = GetParam();
  WHITTLE_NEEDS_PROGRAM(program);
  EXPECT_THAT(needs_of(program), UnorderedElementsAreArray(needs));
}

std::string test_name(const testing::TestParamInfo<Expectation>& info) {
  std::string name = info.param.program;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    Glibc, NeedsOf,
    testing::Values(Expectation{"needs_nothing_glibc", {}},
                    Expectation{"needs_execv_glibc", {"processes medium"}},
                    Expectation{"needs_execve_glibc", {}},
                    Expectation{"needs_gconv_glibc", {"gconv high"}},
                    Expectation{"needs_passwd_glibc", {"nss high", "passwd high"}},
                    Expectation{"needs_proc_glibc", {"proc medium"}},
                    Expectation{"needs_processes_glibc", {"processes high"}},
                    Expectation{"needs_resolver_glibc", {"nss high", "resolver high"}},
                    Expectation{"needs_shell_glibc", {"shell high"}},
                    Expectation{"needs_temporary_glibc", {"tmp high"}},
                    Expectation{"needs_zoneinfo_glibc", {"zoneinfo medium"}}),
    test_name);

// Stripped ones tell less: nothing of iconv, tmpfile and execv, and one trace for system and
// posix_spawnp.
INSTANTIATE_TEST_SUITE_P(
    StrippedGlibc, NeedsOf,
    testing::Values(Expectation{"needs_nothing_glibc_s", {}},
                    Expectation{"needs_execv_glibc_s", {}}, Expectation{"needs_execve_glibc_s", {}},
                    Expectation{"needs_gconv_glibc_s", {}},
                    Expectation{"needs_passwd_glibc_s", {"nss medium"}},
                    Expectation{"needs_proc_glibc_s", {"proc medium"}},
                    Expectation{"needs_processes_glibc_s", {"processes medium", "shell medium"}},
                    Expectation{"needs_resolver_glibc_s", {"nss medium", "resolver medium"}},
                    Expectation{"needs_shell_glibc_s", {"processes medium", "shell medium"}},
                    Expectation{"needs_temporary_glibc_s", {}},
                    Expectation{"needs_zoneinfo_glibc_s", {"zoneinfo medium"}}),
    test_name);

INSTANTIATE_TEST_SUITE_P(Musl, NeedsOf,
                         testing::Values(Expectation{"needs_nothing_musl", {}},
                                         Expectation{"needs_execv_musl", {"processes medium"}},
                                         Expectation{"needs_execve_musl", {}},
                                         Expectation{"needs_gconv_musl", {}},
                                         Expectation{"needs_passwd_musl", {"passwd high"}},
                                         Expectation{"needs_proc_musl", {"proc medium"}},
                                         Expectation{"needs_processes_musl", {"processes high"}},
                                         Expectation{"needs_resolver_musl", {"resolver high"}},
                                         Expectation{"needs_shell_musl", {"shell high"}},
                                         Expectation{"needs_temporary_musl", {"tmp high"}},
                                         Expectation{"needs_zoneinfo_musl", {"zoneinfo medium"}}),
                         test_name);

INSTANTIATE_TEST_SUITE_P(
    StrippedMusl, NeedsOf,
    testing::Values(Expectation{"needs_nothing_musl_s", {}}, Expectation{"needs_execv_musl_s", {}},
                    Expectation{"needs_execve_musl_s", {}}, Expectation{"needs_gconv_musl_s", {}},
                    Expectation{"needs_passwd_musl_s", {"passwd medium"}},
                    Expectation{"needs_proc_musl_s", {"proc medium"}},
                    Expectation{"needs_processes_musl_s", {"processes medium"}},
                    Expectation{"needs_resolver_musl_s", {"resolver medium"}},
                    Expectation{"needs_shell_musl_s", {"shell medium"}},
                    Expectation{"needs_temporary_musl_s", {"tmp medium"}},
                    Expectation{"needs_zoneinfo_musl_s", {"zoneinfo medium"}}),
    test_name);

// Code in C is found in a program that Rust signed, too.
INSTANTIATE_TEST_SUITE_P(
    CWithRust, NeedsOf,
    testing::Values(Expectation{"needs_of_c_with_rust", {"processes high", "tmp high"}},
                    Expectation{"needs_of_c_with_rust_s", {"processes medium", "tmp medium"}}),
    test_name);

TEST(CWithRust, MeetsNoRuleByWhatIsUnknown) {
  WHITTLE_NEEDS_PROGRAM("needs_of_c_with_rust_s");
  Policy policy;
  policy.require("rust>=1.70,no-needs:processes,no-needs:tmp,no-needs:shell,static");
  std::vector<std::string> broken;
  for (const Violation& violation :
       policy.check(inspect(test::load_program("needs_of_c_with_rust_s"), "f"))) {
    broken.push_back(violation.rule);
  }
  EXPECT_THAT(broken, ElementsAre("rust>=1.70", "no-needs:processes", "no-needs:tmp"));
}

// What a dynamic program takes from libraries stands in its imports, stripped or not.
INSTANTIATE_TEST_SUITE_P(Dynamic, NeedsOf,
                         testing::Values(Expectation{"needs_nothing_dynamic", {}},
                                         Expectation{"needs_execv_dynamic", {"processes medium"}},
                                         Expectation{"needs_execve_dynamic", {"processes medium"}},
                                         Expectation{"needs_gconv_dynamic", {"gconv high"}},
                                         Expectation{"needs_passwd_dynamic", {"passwd high"}},
                                         Expectation{"needs_proc_dynamic", {"proc medium"}},
                                         Expectation{"needs_processes_dynamic", {"processes high"}},
                                         Expectation{"needs_resolver_dynamic", {"resolver high"}},
                                         Expectation{"needs_shell_dynamic", {"shell high"}},
                                         Expectation{"needs_temporary_dynamic", {"tmp high"}},
                                         Expectation{"needs_zoneinfo_dynamic",
                                                     {"zoneinfo medium"}}),
                         test_name);

INSTANTIATE_TEST_SUITE_P(
    Go, NeedsOf,
    testing::Values(Expectation{"go_needs/nothing", {}},
                    Expectation{"go_needs/certificates", {"ca-certificates high"}},
                    Expectation{"go_needs/user", {"passwd high"}},
                    Expectation{"go_needs/zone", {"zoneinfo high"}},
                    Expectation{"go_needs/zone-embedded", {}},
                    Expectation{"go_needs/temporary", {"tmp high"}},
                    Expectation{"go_needs/shell", {"processes high", "shell medium"}},
                    Expectation{"go_needs/processes", {"processes high"}},
                    Expectation{"go_needs/resolver", {"resolver high"}},
                    Expectation{"go_needs/proc", {"proc low"}}),
    test_name);

INSTANTIATE_TEST_SUITE_P(Rust, NeedsOf,
                         testing::Values(Expectation{"needs_nothing_rust", {}},
                                         Expectation{"needs_processes_rust", {"processes high"}}),
                         test_name);

// Rules that no toolchain at hand can make a program for: their texts, in a program of no known
// library.
TEST(Needs, AreSeenInTexts) {
  struct Case {
    const char *text, *need;
  };
  for (const auto& [text, need] : {
           Case{"SSL_CERT_FILE", "ca-certificates medium"},
           Case{"x/etc/ssl/certs/ca-certificates.crty", "ca-certificates medium"},
           Case{"/proc/%d/stat", "proc medium"},
           Case{"/proc/net/tcp", "proc medium"},
           Case{"/proc/cpuinfo", "proc medium"},
           Case{"/proc/self/mountinfo", "proc medium"},
           Case{"/proc/self/mounts", "proc medium"},
       }) {
    test::ElfSpec spec;
    spec.data = std::string(1, '\0') + text + std::string(1, '\0');
    EXPECT_THAT(ids(inspect(test::build(spec).bytes, "f", {.symbols = false})), ElementsAre(need))
        << text;
  }
}

TEST(Needs, KnownNoiseStaysQuiet) {
  for (const char* text : {"/etc/ld.so.cache", "gconv-modules", "/usr/lib/locale/locale-archive",
                           "dlopen", "/proc/self/exe", "/var/tmp", "/bin/shellfish"}) {
    test::ElfSpec spec;
    spec.data = std::string(1, '\0') + text + std::string(1, '\0');
    EXPECT_THAT(inspect(test::build(spec).bytes, "f", {.symbols = false}).needs, IsEmpty()) << text;
  }
}

TEST(Needs, TellWhereTheySawWhat) {
  test::ElfSpec spec;
  spec.data = std::string("\0-/bin/sh\0", 10);
  const test::ElfImage image = test::build(spec);
  const BinaryReport report = inspect(image.bytes, "f", {.symbols = false});
  ASSERT_EQ(report.needs.size(), 1u);
  const Need& need = report.needs[0];
  EXPECT_EQ(need.id, "needs/shell");
  EXPECT_FALSE(need.title.empty() || need.breaks.empty() || need.supply.empty());
  ASSERT_EQ(need.evidence.size(), 1u);
  EXPECT_EQ(need.evidence[0].kind, "text");
  EXPECT_EQ(need.evidence[0].name, "/bin/sh");
  ASSERT_TRUE(need.evidence[0].offset);
  EXPECT_EQ(as_text(ByteView(image.bytes).subspan(*need.evidence[0].offset, 7)), "/bin/sh");
}

TEST(Needs, SupplyIsThereForEveryRule) {
  std::set<std::string_view> kinds, used;
  for (const NeedKind& kind : need_kinds()) {
    EXPECT_TRUE(kind.id.starts_with("needs/"));
    EXPECT_FALSE(kind.title.empty() || kind.breaks.empty() || kind.supply.empty()) << kind.id;
    kinds.insert(kind.id);
  }
  for (const NeedRule& rule : need_rules()) {
    used.insert(rule.need);
    EXPECT_FALSE(rule.pattern.empty());
    EXPECT_NE(rule.runtimes, 0);
  }
  EXPECT_EQ(kinds, used);
  for (const Mitigation& one : mitigations()) EXPECT_TRUE(kinds.contains(one.need)) << one.need;
}

TEST(Needs, PatternsMatchAsWildcardsDo) {
  EXPECT_TRUE(matches("a", "a"));
  EXPECT_FALSE(matches("a", "ab"));
  EXPECT_TRUE(matches("a*", "a"));
  EXPECT_TRUE(matches("a*", "abc"));
  EXPECT_FALSE(matches("a*", "ba"));
  EXPECT_TRUE(matches("*b*", "abc"));
  EXPECT_TRUE(matches("__nss_*_lookup2", "__nss_hosts_lookup2"));
  EXPECT_FALSE(matches("__nss_*_lookup2", "__nss_lookup2"));
  EXPECT_FALSE(matches("ab*ba", "aba"));
  EXPECT_TRUE(matches("*", ""));
}

}  // namespace
}  // namespace whittle::analyzer
