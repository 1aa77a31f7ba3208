// SPDX-License-Identifier: MIT
#include "analyzer/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/mutate.h"

namespace whittle::analyzer {
namespace {

using testing::HasSubstr;

BinaryReport program() {
  BinaryReport report;
  report.kind = Kind::static_executable;
  report.reasons = {{"type/exec", "is an executable"}};
  report.machine = "x86-64";
  report.size = 3 << 20;
  report.toolchain.language = "Go";
  report.toolchain.compiler = "go1.19.8";
  report.hardening.nx = HardeningState::yes;
  report.hardening.relro = HardeningState::partial;
  report.hardening.pie = HardeningState::no;
  report.hardening.fortify = HardeningState::unknown;
  report.needs = {{"needs/shell", "medium", "a shell", "", "", {{"text", "/bin/sh", 1}}},
                  {"needs/proc", "low", "/proc", "", "", {{"text", "/proc", 1}}}};
  return report;
}

// The only violation; nothing where the requirement is met.
std::optional<Violation> violation_of(const std::string& rule, const BinaryReport& report) {
  Policy policy;
  policy.require(rule);
  const auto violations = policy.check(report);
  EXPECT_LE(violations.size(), 1u);
  if (violations.empty()) return std::nullopt;
  EXPECT_EQ(violations[0].rule, rule);
  return violations[0];
}

// The reason of an answer that is not known; "" where it is.
std::string unknown(const std::string& rule, const BinaryReport& report) {
  const auto violation = violation_of(rule, report);
  return violation && violation->unknown ? violation->reason : "";
}

// "" where the requirement is met.
std::string against(const std::string& rule, const BinaryReport& report) {
  const auto violation = violation_of(rule, report);
  return violation ? violation->reason : "";
}

TEST(Policy, EveryRuleIsMetAndBroken) {
  BinaryReport good = program(), bad = program();
  bad.kind = Kind::dynamic_executable;
  bad.reasons = {{"dynamic/interpreter", "asks for the interpreter /ld.so"}};
  bad.stripped = false;
  bad.hardening.nx = HardeningState::no;
  bad.hardening.debug_info = true;
  bad.hardening.runpath = {"/opt/lib"};
  bad.linkage.versions = {{"libc.so.6", "GLIBC_2.34", {"dlsym"}}};
  bad.linkage.libraries = LibraryTree{"", {}, {"libx.so"}};
  struct Case {
    const char *rule, *reason;
  };
  for (const auto& [rule, reason] :
       {Case{"static", "is dynamic: asks for the interpreter"}, Case{"nx", "lacks a stack"},
        Case{"no-rpath", "/opt/lib"}, Case{"stripped", "has symbols"},
        Case{"no-debug-info", "has debug"}, Case{"no-missing", "misses libx.so"},
        Case{"glibc<=2.33", "asks for GLIBC_2.34: dlsym"}}) {
    EXPECT_EQ(against(rule, good), "") << rule;
    EXPECT_THAT(against(rule, bad), HasSubstr(reason)) << rule;
  }
  EXPECT_EQ(against("glibc<=2.34", bad), "");
  bad.linkage.libraries.reset();
  EXPECT_THAT(against("no-missing", bad), HasSubstr("--root"));
}

TEST(Policy, HardeningInPartIsNotEnough) {
  EXPECT_THAT(against("relro", program()), HasSubstr("in part"));
  EXPECT_THAT(against("pie", program()), HasSubstr("lacks position"));
  EXPECT_THAT(against("fortify", program()), HasSubstr("does not show"));
  EXPECT_EQ(against("canary", program()), "");  // does not apply
  EXPECT_EQ(against("bti", program()), "");
}

TEST(Policy, NeedsCountUnlessTheyAreUnlikely) {
  EXPECT_THAT(against("no-needs", program()), HasSubstr("may need a shell: text /bin/sh"));
  EXPECT_THAT(against("no-needs:shell", program()), HasSubstr("/bin/sh"));
  EXPECT_EQ(against("no-needs:proc", program()), "");
  EXPECT_EQ(against("no-needs:tmp", program()), "");
}

TEST(Policy, WhatAnImageSuppliesIsNotNeeded) {
  BinaryReport report = program();
  report.needs[0].supplied_by = {"/bin/sh"};
  EXPECT_EQ(against("no-needs:shell", report), "");
  EXPECT_EQ(against("no-needs", report), "");
  report.needs[1].confidence = "high";
  EXPECT_THAT(against("no-needs", report), HasSubstr("may need /proc"));
}

ImageReport image(Answer answer, const std::string& name, const std::string& problem) {
  ImageReport image;
  image.startup.program = name;
  image.startup.runs.answer = answer;
  image.startup.runs.problem = problem;
  return image;
}

// "RULE: REASON" of each violation.
std::vector<std::string> against_image(const std::string& rules, const ImageReport& image) {
  Policy policy;
  rules.empty() ? policy.require_the_usual() : policy.require(rules);
  std::vector<std::string> out;
  for (const Violation& violation : policy.check(image)) {
    out.push_back(violation.rule + ": " + violation.reason);
  }
  return out;
}

TEST(Policy, AnImageStarts) {
  using testing::ElementsAre;
  using testing::IsEmpty;
  const ImageReport good = image(Answer::yes, "/app", ""),
                    bad = image(Answer::no, "/app", "is gone"),
                    unknown = image(Answer::unknown, "/app", "was not read"),
                    nothing = image(Answer::no, "", "names nothing to run");
  EXPECT_THAT(against_image("entrypoint", good), IsEmpty());
  EXPECT_THAT(against_image("entrypoint", bad), ElementsAre("entrypoint: /app is gone"));
  EXPECT_THAT(against_image("entrypoint", unknown), ElementsAre("entrypoint: /app was not read"));
  EXPECT_THAT(against_image("entrypoint", nothing),
              ElementsAre("entrypoint: names nothing to run"));
  // Unless it is asked for, only what is certain counts.
  EXPECT_THAT(against_image("", good), IsEmpty());
  EXPECT_THAT(against_image("", bad), ElementsAre("entrypoint: /app is gone"));
  EXPECT_THAT(against_image("", unknown), IsEmpty());
  EXPECT_THAT(against_image("", nothing), IsEmpty());
  EXPECT_THAT(against_image("static,nx", bad), IsEmpty());
  // It is no rule for files.
  EXPECT_EQ(against("entrypoint", program()), "");
  Policy policy;
  policy.require_the_usual();
  EXPECT_FALSE(policy.is_about_images());
  EXPECT_TRUE(policy.check(program()).empty());
  policy.require("entrypoint");
  EXPECT_TRUE(policy.is_about_images());
}

TEST(Policy, InterpretersAreNotMissing) {
  using testing::ElementsAre;
  ImageReport report = image(Answer::yes, "/app", "");
  report.scripts = {{"/a", {"/bin/sh"}, Answer::yes, ""}};
  EXPECT_TRUE(against_image("no-missing", report).empty());
  report.scripts.push_back({"/b", {"/bin/sh"}, Answer::no, "asks for /bin/sh, which is gone"});
  EXPECT_THAT(against_image("no-missing", report),
              ElementsAre("no-missing: /b asks for /bin/sh, which is gone"));
  report.scripts.push_back({"/c", {"/x"}, Answer::unknown, "asks for /x"});
  EXPECT_THAT(against_image("no-missing", report),
              ElementsAre("no-missing: /b asks for /bin/sh, which is gone; and 1 more"));
}

TEST(Policy, Numbers) {
  EXPECT_EQ(against("go>=1.19", program()), "");
  EXPECT_EQ(against("go>=1.9", program()), "");
  EXPECT_THAT(against("go>=1.22", program()), HasSubstr("built by go1.19.8"));
  EXPECT_EQ(against("rust>=1.70", program()), "");  // is no Rust program
  EXPECT_EQ(against("size<=3M", program()), "");
  EXPECT_EQ(against("size<=3145728", program()), "");
  EXPECT_THAT(against("size<=3071K", program()), HasSubstr("3145728 bytes"));
}

// A commit, a date or a distribution's revision in a signature is no version.
TEST(Policy, AnUnknownCompilerVersionIsNotMet) {
  BinaryReport report = program();
  report.toolchain.language = "Rust";
  report.toolchain.compiler = "rustc, commit a55dd71d5fb0ec5a6a3a9e8c27b2127ba491ce52";
  EXPECT_THAT(unknown("rust>=1.70", report),
              HasSubstr("built by an unknown version of Rust (rustc, commit a55dd71"));
  EXPECT_EQ(against("go>=1.70", report), "");
  report.toolchain.compiler = "rustc version 1.70.0-nightly (90c541806 2023-05-31)";
  EXPECT_NE(against("rust>=1.70", report), "");
  EXPECT_EQ(against("rust>=1.69", report), "");

  report.toolchain.language = "Go";
  for (const char* compiler : {"devel +8ca785b1 Thu Aug 3 2023", "", "gccgo 12.2.0"}) {
    report.toolchain.compiler = compiler;
    EXPECT_THAT(unknown("go>=1.2", report), HasSubstr("an unknown version of Go")) << compiler;
  }
  report.toolchain.compiler = "go1.22rc1";
  EXPECT_EQ(against("go>=1.22", report), "was built by go1.22rc1");
  EXPECT_EQ(against("go>=1.21", report), "");
}

TEST(Policy, EveryRustCompilerThatSignedCounts) {
  BinaryReport report = program();
  report.toolchain.language = "Rust";
  report.toolchain.compiler = "rustc version 1.80.0";
  report.toolchain.notes = {"GCC: (Debian 12.2.0) 12.2.0", "rustc version 1.80.0",
                            "rustc version 1.60.0"};
  EXPECT_EQ(against("rust>=1.70", report), "was built by rustc version 1.60.0");
  EXPECT_EQ(against("rust>=1.60", report), "");
  report.toolchain.language = "Go";
  report.toolchain.compiler = "go1.22";
  EXPECT_EQ(against("rust>=1.70", report), "was built by rustc version 1.60.0");
}

TEST(Policy, WithoutALanguageNoCompilerIsKnown) {
  BinaryReport report = program();
  report.toolchain = {};
  EXPECT_THAT(unknown("go>=1.2", report), HasSubstr("does not show in which language"));
  EXPECT_THAT(unknown("rust>=1.2", report), HasSubstr("does not show in which language"));
  report.toolchain.language = "C/C++";
  EXPECT_EQ(against("go>=1.2", report), "");
  EXPECT_EQ(against("rust>=1.2", report), "");
}

TEST(Policy, AnUnknownGlibcIsNotMet) {
  BinaryReport report = program();
  report.kind = Kind::dynamic_executable;
  report.needed = {"libc.so.6"};
  EXPECT_THAT(unknown("glibc<=2.36", report), HasSubstr("without saying of which version"));
  report.linkage.versions = {{"libc.so.6", "GLIBC_2.34", {}}};
  EXPECT_EQ(against("glibc<=2.36", report), "");
  report.linkage.other_versions = {"GLIBC_ABI_DT_RELR"};
  EXPECT_EQ(against("glibc<=2.36", report), "");
  EXPECT_THAT(against("glibc<=2.35", report), HasSubstr("GLIBC_ABI_DT_RELR, of glibc 2.36"));
  report.linkage.other_versions = {"GLIBC_PRIVATE"};
  EXPECT_THAT(unknown("glibc<=2.36", report), HasSubstr("asks for an unknown glibc"));
}

TEST(Policy, WhatIsNotLookedAtIsNotMet) {
  BinaryReport library = program();
  library.kind = Kind::shared_object;
  library.needs.clear();
  library.needed = {"libm.so.6"};
  EXPECT_THAT(unknown("no-needs", library), HasSubstr("is a shared library"));
  EXPECT_THAT(unknown("no-missing", library), HasSubstr("is a shared library"));

  BinaryReport damaged = program();
  damaged.sections_readable = false;
  EXPECT_THAT(unknown("stripped", damaged), HasSubstr("damaged section headers"));
  EXPECT_THAT(unknown("no-debug-info", damaged), HasSubstr("damaged section headers"));

  BinaryReport headers_only = program();
  headers_only.has_contents = false;
  for (const char* rule : {"nx", "no-needs", "no-rpath", "go>=1.2", "glibc<=3"}) {
    EXPECT_THAT(unknown(rule, headers_only), HasSubstr("not looked at")) << rule;
  }
  EXPECT_EQ(against("static", headers_only), "");
}

TEST(Policy, AProgramForAnotherSystemMeetsNothingButItsSize) {
  BinaryReport report = program();
  report.kind = Kind::other_system;
  report.system = "FreeBSD";
  report.reasons = {{"other-system/os-abi", "is made for FreeBSD, not for Linux: EI_OSABI is 9"}};
  EXPECT_EQ(against("static", report), "is made for FreeBSD, not for Linux: EI_OSABI is 9");
  for (const char* rule : {"static-pie", "nx", "canary", "no-needs:tmp", "no-missing", "go>=1.2"}) {
    EXPECT_EQ(against(rule, report), "is made for FreeBSD, not for Linux") << rule;
  }
  EXPECT_EQ(against("size<=3M", report), "");
}

TEST(Policy, WhatAPackerHidesIsNotMet) {
  BinaryReport report = program();
  report.kind = Kind::packed;
  report.packing = Packing{.packer = "UPX"};
  for (const std::string rule : {"static", "nx", "no-needs:shell", "go>=1.2", "stripped"}) {
    EXPECT_EQ(unknown(rule, report), "is packed by UPX, which hides it") << rule;
  }
  EXPECT_EQ(against("size<=3M", report), "");
  EXPECT_THAT(against("size<=1M", report), HasSubstr("bytes"));
  report = program();
  report.packing = Packing{.packer = "whittle", .hidden = false};
  EXPECT_EQ(against("static", report), "");
  EXPECT_NE(against("no-needs:shell", report), "");
}

TEST(Policy, WhatIsNoProgramMeetsNothing) {
  BinaryReport script;
  script.kind = Kind::script;
  EXPECT_THAT(against("nx", script), HasSubstr("script"));
  EXPECT_THAT(against("static", script), HasSubstr("script"));
}

TEST(Policy, MistakesAreNamed) {
  Policy policy;
  for (const char* rule :
       {"statik", "nx,,pie", "no-needs:", "no-needs:x", "go>=", "go>=a", "go<=1", "go>=.",
        "go>=1..2", "glibc<=2.", "size<=", "size<=1T", "size<=99999999999999999999", "nx=1"}) {
    EXPECT_THAT(test::expect_error(ErrorKind::usage, [&] { policy.require(rule); }).message(),
                HasSubstr("requirement"))
        << rule;
  }
  Policy many;
  many.require(" static , nx");
  EXPECT_EQ(many.check(BinaryReport{}).size(), 2u);
}

}  // namespace
}  // namespace whittle::analyzer
