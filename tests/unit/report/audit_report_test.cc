// SPDX-License-Identifier: MIT
#include "report/audit_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whittle::report {
namespace {

using analyzer::AuditedFile;
using analyzer::BinaryReport;
using analyzer::Kind;

BinaryReport binary(std::string path, Kind kind, std::vector<analyzer::Reason> reasons) {
  BinaryReport report;
  report.path = std::move(path);
  report.kind = kind;
  report.reasons = std::move(reasons);
  if (kind != Kind::script && kind != Kind::not_elf) {
    report.machine = "x86-64";
    report.bits = 64;
    report.byte_order = "little";
  }
  return report;
}

std::vector<AuditedFile> some_files() {
  BinaryReport app =
      binary("bin/app", Kind::static_executable,
             {{"type/exec", "is at fixed addresses"}, {"static/x", "asks for none"}});
  app.toolchain = {"Go", "go1.19.8", "", "example.com/app", {{"example.com/app", "", "", ""}}, {}};
  app.warnings = {"has an odd\nfield"};
  app.needs = {{"needs/shell",
                "medium",
                "a shell",
                "commands fail",
                "add one",
                {{"text", "/bin/sh", 16}, {"import", "system", std::nullopt}}}};
  app.hardening.nx = analyzer::HardeningState::yes;
  BinaryReport ls =
      binary("bin/ls\x1b[1m", Kind::dynamic_executable, {{"dynamic/needed", "needs libc\x07.so"}});
  ls.needed = {"libc\x07.so", "\xff"};
  return {{"bin/app", app, "", 0},
          {"bin/ls\x1b[1m", ls, "", 0},
          {"run", binary("run", Kind::script, {{"script/magic", "begins with #!"}}), "", 0},
          {"bad", std::nullopt, "is cut short (at offset 16)", 4}};
}

TEST(AuditReport, Text) {
  EXPECT_EQ(audit_text(some_files()),
            "static         bin/app: is at fixed addresses; asks for none\n"
            "               needs/shell (medium): text /bin/sh and 1 more\n"
            "               warning: has an odd\\nfield\n"
            "dynamic        bin/ls\\x1b[1m: needs libc\\x07.so\n"
            "script         run: begins with #!\n"
            "error          bad: is cut short (at offset 16)\n"
            "\n"
            "4 files: 1 static, 1 dynamic, 1 script, 1 error\n");
  EXPECT_EQ(audit_text({}), "0 files\n");
}

TEST(AuditReport, Json) {
  auto json = nlohmann::json::parse(audit_json(some_files()));
  EXPECT_EQ(json["schema"], "whittle.audit/1");
  EXPECT_EQ(json["totals"],
            nlohmann::json::parse(R"({"files": 4, "static": 1, "not_static": 2, "errors": 1})"));
  ASSERT_EQ(json["files"].size(), 4u);
  EXPECT_EQ(json["files"][0]["hardening"]["nx"], "yes");
  EXPECT_EQ(json["files"][0]["hardening"]["canary"], "not-applicable");
  json["files"][0].erase("hardening");
  EXPECT_EQ(json["files"][0], nlohmann::json::parse(R"({
    "path": "bin/app", "size_bytes": 0, "verdict": "static", "static": true,
    "reasons": [{"id": "type/exec", "text": "is at fixed addresses"},
                {"id": "static/x", "text": "asks for none"}],
    "machine": "x86-64", "bits": 64, "byte_order": "little", "needed": [], "stripped": true,
    "toolchain": {"language": "Go", "compiler": "go1.19.8", "libc": "",
                  "main_package": "example.com/app"},
    "needs": [{"id": "needs/shell", "confidence": "medium", "title": "a shell",
               "breaks": "commands fail", "supply": "add one",
               "evidence": [{"kind": "text", "name": "/bin/sh", "offset": 16},
                            {"kind": "import", "name": "system"}]}],
    "warnings": ["has an odd\nfield"]})"));
  EXPECT_EQ(json["files"][1]["needed"][0], "libc\x07.so");
  EXPECT_EQ(json["files"][1]["needed"][1], "\xef\xbf\xbd");
  EXPECT_FALSE(json["files"][2].contains("machine"));
  EXPECT_EQ(
      json["files"][3],
      nlohmann::json::parse(
          R"json({"path": "bad", "error": "is cut short (at offset 16)", "exit_code": 4})json"));
}

TEST(AuditReport, EveryKindIsCounted) {
  std::vector<AuditedFile> files;
  for (const Kind kind :
       {Kind::static_executable, Kind::static_pie, Kind::dynamic_executable, Kind::shared_object,
        Kind::relocatable, Kind::core, Kind::script, Kind::not_elf}) {
    files.push_back({"x", binary("x", kind, {}), "", 0});
  }
  EXPECT_THAT(audit_text(files),
              testing::EndsWith("\n8 files: 1 static, 1 static-pie, 1 dynamic, 1 shared-object, "
                                "1 relocatable, 1 core, 1 script, 1 not-elf\n"));
}

}  // namespace
}  // namespace whittle::report
