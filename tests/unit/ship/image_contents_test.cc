// SPDX-License-Identifier: MIT
#include "ship/image_contents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/elf_builder.h"

namespace whittle::ship {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Bytes text(std::string_view content) { return {content.begin(), content.end()}; }

Bytes elf(const std::string& interpreter = "", std::vector<std::string> needed = {},
          std::uint16_t machine = elf::kMachineX86_64) {
  test::ElfSpec spec;
  spec.interpreter = interpreter;
  spec.needed = std::move(needed);
  spec.machine = machine;
  return test::build(spec).bytes;
}

imagegen::ImageSpec app() {
  imagegen::ImageSpec spec;
  spec.architecture = "amd64";
  spec.files = {{"/app", elf(), 0755}};
  spec.entrypoint = {"/app"};
  return spec;
}

analyzer::Need need(const std::string& id, const std::string& confidence,
                    analyzer::Supply::What what, std::vector<std::string> paths) {
  analyzer::Need need;
  need.id = id;
  need.confidence = confidence;
  need.title = "a " + id;
  need.breaks = "it breaks";
  need.supply = "add it";
  need.evidence = {{"symbol", "f", std::nullopt}};
  if (!paths.empty()) need.ways = {{what, std::move(paths), ""}};
  return need;
}

std::vector<std::string> warnings(const imagegen::ImageSpec& spec,
                                  const std::vector<analyzer::Need>& needs = {}) {
  const ContentProblems problems = find_content_problems(spec, needs);
  EXPECT_EQ(problems.fatal, "");
  return problems.warnings;
}

std::string fatal(const imagegen::ImageSpec& spec) { return find_content_problems(spec, {}).fatal; }

TEST(ImageContents, AnExecutableAloneIsEnough) { EXPECT_THAT(warnings(app()), IsEmpty()); }

TEST(ImageContents, WhatCanNeverStartIsFatal) {
  imagegen::ImageSpec spec = app();
  spec.entrypoint = {"/other"};
  EXPECT_EQ(fatal(spec), "the program to run, /other, is not in the image");
  spec.entrypoint = {"other"};
  EXPECT_THAT(fatal(spec), HasSubstr("is in no folder of PATH"));
  spec.entrypoint = {"/"};
  EXPECT_THAT(fatal(spec), HasSubstr("is a folder"));
  spec.entrypoint = {"/run"};
  spec.files.push_back({"/run", text("#!/bin/sh\n"), 0644});
  EXPECT_THAT(fatal(spec), HasSubstr("nobody may execute it"));
  spec.files.back().mode = 0755;
  EXPECT_THAT(fatal(spec), HasSubstr("asks for /bin/sh, which is not in the image"));
  spec.files.push_back({"/bin/sh", elf(), 0755});
  EXPECT_EQ(fatal(spec), "");
  spec.files.back().content = elf("/ld.so");
  EXPECT_THAT(fatal(spec), HasSubstr("misses /ld.so"));
  spec = app();
  spec.user = "app";
  EXPECT_THAT(fatal(spec), HasSubstr("has no /etc/passwd"));
  spec.files.push_back({"/etc/passwd", text("other:x:1:1::/:\n"), 0644});
  EXPECT_THAT(fatal(spec), HasSubstr("no line for the user `app` in /etc/passwd"));
  spec.user = "other";
  EXPECT_EQ(fatal(spec), "");
  spec = app();
  spec.files[0].mode = 0700;
  EXPECT_THAT(fatal(spec), HasSubstr("user 65532:65532 may not execute it"));
  spec.user = "0";
  EXPECT_EQ(fatal(spec), "");
}

TEST(ImageContents, NamesAreLookedUpAsEnginesDoIt) {
  imagegen::ImageSpec spec = app();
  spec.files[0].path = "/usr/bin/app";
  spec.entrypoint = {"app"};
  EXPECT_THAT(warnings(spec), IsEmpty());
  spec.env = {"PATH=/bin"};
  EXPECT_THAT(fatal(spec), HasSubstr("no folder of PATH (/bin)"));
  spec.entrypoint = {"bin/app"};
  spec.working_dir = "/usr";
  EXPECT_THAT(warnings(spec), IsEmpty());
  spec.entrypoint = {};
  spec.cmd = {"bin/app"};
  EXPECT_THAT(warnings(spec), IsEmpty());
}

TEST(ImageContents, WhatMayBeThereIsAWarning) {
  imagegen::ImageSpec spec = app();
  spec.entrypoint = {"/proc/1/exe"};
  EXPECT_THAT(warnings(spec), ElementsAre(HasSubstr("unless the engine mounts it")));
}

TEST(ImageContents, AddedScriptsHaveInterpreters) {
  imagegen::ImageSpec spec = app();
  spec.files.push_back({"/a.sh", text("#!/bin/sh\n"), 0644});
  spec.files.push_back({"/b.sh", text("#!/bin/sh\n"), 0755});
  spec.files.push_back({"/c.py", text("#!/usr/bin/env python3\n"), 0755});
  spec.files.push_back({"/data", text("no #!"), 0755});
  EXPECT_THAT(warnings(spec),
              ElementsAre("in the image, 2 scripts for /bin/sh (missing): /a.sh, /b.sh",
                          "in the image, 1 script for /usr/bin/env python3 (missing): /c.py"));
  spec.files.push_back({"/bin/sh", elf(), 0755});
  spec.files.push_back({"/usr/bin/env", elf(), 0755});
  EXPECT_THAT(warnings(spec), ElementsAre(HasSubstr("env python3 (missing)")));
  spec.files.push_back({"/usr/bin/python3", elf(), 0755});
  EXPECT_THAT(warnings(spec), IsEmpty());
}

TEST(ImageContents, AddedProgramsHaveLibraries) {
  imagegen::ImageSpec spec = app();
  spec.files.push_back({"/bin/ls", elf("/ld.so", {"liba.so"}), 0755});
  EXPECT_THAT(warnings(spec),
              ElementsAre("/bin/ls is a dynamic program and misses /ld.so, liba.so"));
  test::ElfSpec library;
  library.type = elf::kTypeDyn;
  library.soname = "x";
  spec.files.push_back({"/ld.so", test::build(library).bytes, 0755});
  spec.files.push_back({"/lib/liba.so", test::build(library).bytes, 0644});
  EXPECT_THAT(warnings(spec), IsEmpty());
  spec.files.push_back({"/arm", elf("", {}, elf::kMachineAarch64), 0755});
  EXPECT_THAT(warnings(spec), ElementsAre("/arm is for arm64, but the image is for amd64"));
}

TEST(ImageContents, NeedsOfHighConfidenceAreMet) {
  using What = analyzer::Supply::What;
  imagegen::ImageSpec spec = app();
  const std::vector<analyzer::Need> needs = {need("needs/x", "high", What::file, {"/etc/x"}),
                                             need("needs/y", "medium", What::file, {"/etc/y"}),
                                             need("needs/proc", "high", What::engine, {"/proc"}),
                                             need("needs/gconv", "high", What::file, {})};
  EXPECT_THAT(warnings(spec, needs),
              ElementsAre("the program needs a needs/x (symbol f), which the image does not have: "
                          "it breaks. To supply it: add it",
                          HasSubstr("needs/gconv")));
  spec.files.push_back({"/etc/x", text("x"), 0644});
  EXPECT_THAT(warnings(spec, needs), ElementsAre(HasSubstr("needs/gconv")));
}

// Which programs it starts is unknown; one that was added may be the one.
TEST(ImageContents, OtherProgramsMayBeTheOnesThatAreNeeded) {
  imagegen::ImageSpec spec = app();
  const std::vector<analyzer::Need> needs = {
      need("needs/processes", "high", analyzer::Supply::What::file, {})};
  EXPECT_THAT(warnings(spec, needs), ElementsAre(HasSubstr("needs/processes")));
  spec.files.push_back({"/text", text("x"), 0644});
  EXPECT_THAT(warnings(spec, needs), ElementsAre(HasSubstr("needs/processes")));
  spec.files.push_back({"/bin/other", elf(), 0755});
  EXPECT_THAT(warnings(spec, needs), IsEmpty());
}

}  // namespace
}  // namespace whittle::ship
