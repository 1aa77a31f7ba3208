// SPDX-License-Identifier: MIT
#include "report/audit_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "analyzer/hardening_facts.h"
#include "analyzer/policy.h"

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
  return {{"bin/app", app, "", 0, {}},
          {"bin/ls\x1b[1m", ls, "", 0, {{"static", "is <dynamic> & \"big\""}}},
          {"run", binary("run", Kind::script, {{"script/magic", "begins with #!"}}), "", 0, {}},
          {"bad", std::nullopt, "is cut short (at offset 16)", 4, {}}};
}

// What failed comes first, then the totals.
TEST(AuditReport, Text) {
  const std::string failed_in_full = "dynamic        bin/ls\\x1b[1m: needs libc\\x07.so\n";
  const std::string failed_in_brief = "dynamic        bin/ls\\x1b[1m\n";
  const std::string rest_and_totals =
      "               violates static: is <dynamic> & \"big\"\n"
      "error          bad: is cut short (at offset 16)\n"
      "\n"
      "4 files: 1 static, 1 dynamic, 1 script, 1 error; failed: 1 breaks a rule, 1 could not be "
      "judged\n"
      "\n";
  EXPECT_EQ(audit_text(some_files(), {}, Detail::full),
            failed_in_full + rest_and_totals +
                "static         bin/app: is at fixed addresses; asks for none\n"
                "               1 module: example.com/app\n"
                "               needs/shell (medium): text /bin/sh and 1 more\n"
                "               warning: has an odd\\nfield\n"
                "script         run: begins with #!\n");
  EXPECT_EQ(audit_text(some_files(), {}, Detail::brief),
            failed_in_brief + rest_and_totals +
                "static         bin/app: Go; may need shell; 1 warning\n"
                "script         run\n");
}

TEST(AuditReport, TheLineOfTotalsSaysWhetherItFailed) {
  const auto totals = [](const std::vector<AuditedFile>& files) {
    std::istringstream text(audit_text(files));
    std::string line;
    while (std::getline(text, line) && line.find(" file") == line.npos) continue;
    return line + '\n';
  };
  const auto all = some_files();
  EXPECT_EQ(totals({all[0]}), "1 file: 1 static\n");
  EXPECT_EQ(totals({all[0], all[1]}), "2 files: 1 static, 1 dynamic; failed: 1 breaks a rule\n");
  EXPECT_EQ(totals({all[1], all[1]}), "2 files: 2 dynamic; failed: 2 break a rule\n");
  EXPECT_EQ(totals({all[3]}), "1 file: 1 error; failed: 1 could not be judged\n");
}

// In no format does an audit of nothing look like one in which all is well.
TEST(AuditReport, OfNoFiles) {
  EXPECT_EQ(audit_text({}), "0 files\n");
  EXPECT_EQ(nlohmann::json::parse(audit_json({}))["totals"]["files"], 0);
  EXPECT_THAT(audit_markdown({}), testing::HasSubstr("No executable was found."));
  const auto run = nlohmann::json::parse(audit_sarif({}, "1"))["runs"][0];
  ASSERT_EQ(run["results"].size(), 1u);
  EXPECT_EQ(run["results"][0]["kind"], "notApplicable");
  EXPECT_EQ(run["results"][0]["level"], "none");
  EXPECT_EQ(run["tool"]["driver"]["rules"][0]["id"], run["results"][0]["ruleId"]);
  const std::string junit = audit_junit({});
  EXPECT_THAT(junit, testing::HasSubstr("tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\""));
  EXPECT_THAT(junit, testing::HasSubstr("<skipped message=\"no executable was found\"/>"));
}

TEST(AuditReport, WhatIsInOrderTakesALineEach) {
  BinaryReport app = binary("app", Kind::static_executable, {{"type/exec", "is"}});
  app.toolchain.language = "C/C++";
  for (const char* id : {"ca-certificates", "nss", "passwd", "processes", "resolver", "zoneinfo"}) {
    app.needs.push_back({std::string("needs/") + id, "medium", "", "", "", {}});
  }
  app.needs.push_back({"needs/tmp", "low", "", "", "", {}});
  app.needs[1].supplied_by = {"/etc/nsswitch.conf"};
  const auto line = [&](const std::string& path) {
    const std::string text = audit_text({{path, app, "", 0, {}}}, {}, Detail::brief);
    return text.substr(text.find("\n\n") + 2);
  };
  EXPECT_EQ(line("app"),
            "static         app: C/C++; may need ca-certificates, passwd, processes, resolve…\n");
  const std::string path(100, 'x');
  EXPECT_EQ(line(path), "static         " + path + "\n");
}

analyzer::ImageReport some_image() {
  analyzer::ImageReport image;
  image.path = "app.tar[linux/arm64]";
  image.platform = "linux/arm64/v8";
  image.digest = "sha256:abc";
  image.tags = {"v1"};
  image.user = "65532";
  image.startup.program = "/app";
  image.startup.runs = {analyzer::Answer::yes, "/usr/bin/app", "static", {}, ""};
  image.files = 4;
  image.folders = 3;
  image.bytes = 1000;
  image.is_verified = true;
  return image;
}

analyzer::ImageReport bad_image() {
  analyzer::ImageReport image = some_image();
  image.path = "bad.tar";
  image.startup.runs = {analyzer::Answer::no, "", "", {}, "is not in the image"};
  image.scripts = {
      {"/a", {"/bin/sh"}, analyzer::Answer::yes, ""},
      {"/b", {"/usr/bin/env", "/lib/ld.so", "python3"}, analyzer::Answer::no, "lacks it"},
      {"/c", {"/bin/sh"}, analyzer::Answer::yes, ""}};
  image.not_looked_at = {"layer sha256:1: is cut short"};
  image.is_verified = false;
  image.violations = {{"entrypoint", "/app is not in the image"}};
  return image;
}

TEST(AuditReport, TextOfImages) {
  EXPECT_EQ(audit_text({}, {some_image(), bad_image()}),
            "image          bad.tar: does not start\n"
            "               violates entrypoint: /app is not in the image\n"
            "               1 script for /usr/bin/env python3 (missing): /b\n"
            "               2 scripts for /bin/sh (present)\n"
            "               not looked at: layer sha256:1: is cut short\n"
            "\n"
            "0 files in 2 images; failed: 1 breaks a rule\n"
            "\n"
            "image          app.tar[linux/arm64]: starts /app (static)\n");
}

TEST(AuditReport, ImagesInEveryFormat) {
  const Images images = {some_image(), bad_image()};
  auto json = nlohmann::json::parse(audit_json({}, images));
  EXPECT_EQ(json["totals"]["violations"], 1);
  EXPECT_EQ(json["images"][0], nlohmann::json::parse(R"({
    "path": "app.tar[linux/arm64]", "platform": "linux/arm64/v8", "digest": "sha256:abc",
    "tags": ["v1"], "absent": false, "verified": true, "user": "65532",
    "entrypoint": {"program": "/app", "starts": "yes", "path": "/usr/bin/app", "kind": "static"},
    "scripts": {"count": 0, "missing_interpreter": 0, "unknown_interpreter": 0, "list": []},
    "contents": {"files": 4, "folders": 3, "links": 0, "bytes": 1000},
    "violations": [], "not_looked_at": []})"));
  const auto& bad = json["images"][1];
  EXPECT_EQ(bad["entrypoint"], nlohmann::json::parse(R"({
    "program": "/app", "starts": "no", "problem": "is not in the image"})"));
  EXPECT_EQ(bad["scripts"]["count"], 3);
  EXPECT_EQ(bad["scripts"]["missing_interpreter"], 1);
  EXPECT_EQ(bad["scripts"]["list"][1], nlohmann::json::parse(R"({
    "path": "/b", "interpreters": ["/usr/bin/env", "/lib/ld.so", "python3"],
    "interpreter": "missing", "problem": "lacks it"})"));
  EXPECT_EQ(bad["violations"][0]["rule"], "entrypoint");
  EXPECT_EQ(bad["not_looked_at"][0], "layer sha256:1: is cut short");

  const auto run = nlohmann::json::parse(audit_sarif({}, "1", images))["runs"][0];
  std::vector<std::string> results;
  for (const auto& result : run["results"]) {
    results.push_back(result["level"].get<std::string>() + " " +
                      result["ruleId"].get<std::string>());
    EXPECT_EQ(run["tool"]["driver"]["rules"].at(result["ruleIndex"].get<std::size_t>())["id"],
              result["ruleId"]);
  }
  EXPECT_THAT(results, testing::ElementsAre("error policy/entrypoint", "warning image/script",
                                            "error image/not-looked-at"));

  const std::string junit = audit_junit({}, images);
  EXPECT_THAT(junit, testing::HasSubstr("tests=\"2\" failures=\"1\" errors=\"0\""));
  EXPECT_THAT(junit, testing::HasSubstr(
                         "<testcase classname=\"whittle.audit.image\" name=\"bad.tar\">\n      "
                         "<failure message=\"entrypoint: /app is not in the image\""));

  const std::string markdown = audit_markdown({}, images);
  EXPECT_THAT(markdown, testing::HasSubstr("## Images\n\n### app.tar"));
  EXPECT_THAT(markdown, testing::HasSubstr("- **violates entrypoint**: /app is not in the image"));
  EXPECT_THAT(markdown, testing::HasSubstr("- **not looked at**: layer sha256:1: is cut short"));
  EXPECT_THAT(markdown, testing::HasSubstr("- 2 scripts for /bin/sh (present)"));
}

TEST(AuditReport, AnAbsentImageIsNamed) {
  analyzer::ImageReport image = some_image();
  image.is_absent = true;
  image.not_looked_at = {"sha256:abc is not there"};
  EXPECT_THAT(audit_text({}, {image}), testing::HasSubstr("app.tar[linux/arm64]: is not there\n"));
  const auto json = nlohmann::json::parse(audit_json({}, {image}))["images"][0];
  EXPECT_EQ(json["absent"], true);
  EXPECT_FALSE(json.contains("entrypoint"));
  EXPECT_EQ(nlohmann::json::parse(audit_sarif({}, "1", {image}))["runs"][0]["results"][0]["level"],
            "note");
}

TEST(AuditReport, WhatAnImageSuppliesIsSaid) {
  auto files = some_files();
  files.resize(1);
  files[0].report->needs[0].supplied_by = {"/bin/sh"};
  EXPECT_THAT(
      audit_text(files),
      testing::HasSubstr("text /bin/sh and 1 more; supplied by\n                 /bin/sh\n"));
  EXPECT_EQ(nlohmann::json::parse(audit_json(files))["files"][0]["needs"][0]["supplied_by"],
            nlohmann::json::parse(R"(["/bin/sh"])"));
  EXPECT_THAT(audit_markdown(files), testing::HasSubstr("a shell (supplied)"));
  EXPECT_THAT(audit_markdown(files), testing::HasSubstr("- a shell (medium): supplied by /bin/sh"));
  const auto result = nlohmann::json::parse(audit_sarif(files, "1"))["runs"][0]["results"][0];
  EXPECT_EQ(result["level"], "note");
  EXPECT_THAT(result["message"]["text"].get<std::string>(),
              testing::EndsWith("supplied by /bin/sh"));
}

TEST(AuditReport, NamesAFewCrates) {
  BinaryReport app = binary("app", Kind::static_executable, {{"type/exec", "is"}});
  app.toolchain.language = "Rust";
  for (int i = 0; i < 10; i++) {
    analyzer::Module crate{.path = "c" + std::to_string(i), .version = "1.0." + std::to_string(i)};
    crate.found_in = i < 9 ? ".dep-v0" : "path of a source file";
    crate.confidence = i < 9 ? "high" : "medium";
    crate.only_for_build = i == 1;
    app.toolchain.modules.push_back(crate);
  }
  EXPECT_EQ(audit_text({{"app", app, "", 0, {}}}),
            "1 file: 1 static\n"
            "\n"
            "static         app: is\n"
            "               9 crates (.dep-v0): c0 1.0.0, c1 1.0.1 (only for the build), c2\n"
            "                 1.0.2, c3 1.0.3, c4 1.0.4, c5 1.0.5, c6 1.0.6, c7 1.0.7 and 1\n"
            "                 more\n"
            "               1 crate (path of a source file, medium): c9 1.0.9\n");
}

TEST(AuditReport, OfPackedPrograms) {
  BinaryReport ours = binary("ours", Kind::static_executable, {{"type/exec", "is"}});
  ours.size = 1000;
  ours.packing = analyzer::Packing{.packer = "whittle",
                                   .version = "0.1.0",
                                   .level = "fast",
                                   .original_size = 4000,
                                   .original_sha256 = "abc",
                                   .hidden = false};
  BinaryReport upx = binary("upx", Kind::packed, {{"packed/contents-hidden", "is packed"}});
  upx.packing = analyzer::Packing{.packer = "UPX"};
  const std::vector<AuditedFile> files = {{"ours", ours, "", 0, {}}, {"upx", upx, "", 0, {}}};
  EXPECT_EQ(audit_text(files),
            "2 files: 1 static, 1 packed\n"
            "\n"
            "static         ours: is\n"
            "               packed by whittle 0.1.0 (fast): 1,000 bytes, 4,000 unpacked\n"
            "packed         upx: is packed\n");
  const auto json = nlohmann::json::parse(audit_json(files));
  EXPECT_EQ(json["files"][0]["packing"], nlohmann::json::parse(R"({
    "packer": "whittle", "version": "0.1.0", "level": "fast", "contents_hidden": false,
    "original_bytes": 4000, "original_sha256": "abc"})"));
  EXPECT_EQ(json["files"][1]["packing"], nlohmann::json::parse(R"({
    "packer": "UPX", "version": "", "contents_hidden": true})"));
  EXPECT_EQ(json["files"][1]["verdict"], "packed");
  EXPECT_EQ(json["totals"]["not_static"], 1);
  const std::string markdown = audit_markdown(files);
  EXPECT_THAT(markdown, testing::HasSubstr("static, packed by whittle 0.1.0 (fast)"));
  EXPECT_THAT(markdown, testing::HasSubstr("packed by UPX"));
}

TEST(AuditReport, Json) {
  auto json = nlohmann::json::parse(audit_json(some_files()));
  EXPECT_EQ(json["schema"], "whittle.audit/1");
  EXPECT_EQ(json["totals"],
            nlohmann::json::parse(R"({"files": 4, "static": 1, "not_static": 2, "errors": 1,
                                        "violations": 1})"));
  ASSERT_EQ(json["files"].size(), 4u);
  EXPECT_EQ(json["files"][0]["hardening"]["nx"], "yes");
  // Each key is the rule's word, with `_` for `-`.
  for (const analyzer::HardeningFact& fact : analyzer::kHardeningFacts) {
    std::string key(fact.id);
    std::replace(key.begin(), key.end(), '-', '_');
    EXPECT_TRUE(json["files"][0]["hardening"].contains(key)) << key;
    analyzer::Policy policy;
    policy.require(fact.id);
    EXPECT_FALSE(policy.empty());
  }
  EXPECT_EQ(json["files"][0]["hardening"]["canary"], "not-applicable");
  json["files"][0].erase("hardening");
  EXPECT_EQ(json["files"][0], nlohmann::json::parse(R"({
    "path": "bin/app", "size_bytes": 0, "verdict": "static", "static": true,
    "reasons": [{"id": "type/exec", "text": "is at fixed addresses"},
                {"id": "static/x", "text": "asks for none"}],
    "machine": "x86-64", "bits": 64, "byte_order": "little", "needed": [], "stripped": true,
    "toolchain": {"language": "Go", "compiler": "go1.19.8", "libc": "",
                  "main_package": "example.com/app",
                  "modules": [{"path": "example.com/app", "version": "", "confidence": "high"}]},
    "needs": [{"id": "needs/shell", "confidence": "medium", "title": "a shell",
               "breaks": "commands fail", "supply": "add one",
               "evidence": [{"kind": "text", "name": "/bin/sh", "offset": 16},
                            {"kind": "import", "name": "system"}]}],
    "warnings": ["has an odd\nfield"], "violations": []})"));
  EXPECT_EQ(json["files"][1]["needed"][0], "libc\x07.so");
  EXPECT_EQ(json["files"][1]["needed"][1], "\xef\xbf\xbd");
  EXPECT_FALSE(json["files"][2].contains("machine"));
  EXPECT_EQ(
      json["files"][3],
      nlohmann::json::parse(
          R"json({"path": "bad", "error": "is cut short (at offset 16)", "exit_code": 4})json"));
}

TEST(AuditReport, WhatNobodyLookedForIsLeftOut) {
  auto files = some_files();
  files[0].report->has_contents = false;
  const auto file = nlohmann::json::parse(audit_json(files))["files"][0];
  EXPECT_EQ(file["verdict"], "static");
  for (const char* key : {"toolchain", "needs", "linkage", "hardening"}) {
    EXPECT_FALSE(file.contains(key)) << key;
  }
}

// Every property that SARIF 2.1.0 requires, and references that lead somewhere.
TEST(AuditReport, Sarif) {
  const auto json = nlohmann::json::parse(audit_sarif(some_files(), "1.2.3"));
  EXPECT_EQ(json["version"], "2.1.0");
  ASSERT_EQ(json["runs"].size(), 1u);
  const auto& run = json["runs"][0];
  EXPECT_EQ(run["tool"]["driver"]["name"], "whittle");
  EXPECT_EQ(run["tool"]["driver"]["version"], "1.2.3");
  const auto& rules = run["tool"]["driver"]["rules"];
  ASSERT_EQ(run["results"].size(), 3u);
  for (const auto& result : run["results"]) {
    EXPECT_EQ(rules.at(result["ruleIndex"].get<std::size_t>())["id"], result["ruleId"]);
    EXPECT_FALSE(result["message"]["text"].get<std::string>().empty());
    EXPECT_EQ(result["locations"].size(), 1u);
  }
  const auto& need = run["results"][0];
  EXPECT_EQ(need["ruleId"], "needs/shell");
  EXPECT_EQ(need["level"], "warning");
  EXPECT_EQ(need["locations"][0]["physicalLocation"], nlohmann::json::parse(R"({
    "artifactLocation": {"uri": "bin/app", "uriBaseId": "%SRCROOT%"},
    "region": {"byteOffset": 16, "byteLength": 7}})"));
  EXPECT_EQ(run["results"][1]["ruleId"], "policy/static");
  EXPECT_EQ(run["results"][1]["level"], "error");
  EXPECT_EQ(run["results"][1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            "bin/ls%1B%5B1m");
  EXPECT_EQ(run["results"][2]["ruleId"], "audit/error");
}

TEST(AuditReport, Junit) {
  EXPECT_EQ(audit_junit(some_files()),
            R"xml(<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" errors="1">
  <testsuite name="whittle audit" tests="4" failures="1" errors="1">
    <testcase classname="whittle.audit" name="bin/app"/>
    <testcase classname="whittle.audit" name="bin/ls\x1b[1m">
      <failure message="static: is &lt;dynamic&gt; &amp; &quot;big&quot;" type="static">static: is &lt;dynamic&gt; &amp; &quot;big&quot;
</failure>
    </testcase>
    <testcase classname="whittle.audit" name="run"/>
    <testcase classname="whittle.audit" name="bad">
      <error message="is cut short (at offset 16)"/>
    </testcase>
  </testsuite>
</testsuites>
)xml");
}

TEST(AuditReport, Markdown) {
  const std::string text = audit_markdown(some_files());
  EXPECT_THAT(text, testing::StartsWith("## Audit\n\n| file | verdict |"));
  EXPECT_THAT(text, testing::HasSubstr("| bin/app | static | go1.19.8 | a shell |"));
  EXPECT_THAT(text, testing::HasSubstr("- **violates static**: is "));
  EXPECT_THAT(text,
              testing::HasSubstr("- a shell (medium): without it, commands fail. To supply it"));
}

// What it needs and how it is guarded is unknown: it is not said that it needs nothing.
TEST(AuditReport, AProgramForAnotherSystem) {
  BinaryReport app = binary("app", Kind::other_system,
                            {{"other-system/os-abi", "is made for FreeBSD, not for Linux"}});
  app.system = "FreeBSD";
  app.system_reason = "EI_OSABI is 9";
  const std::vector<AuditedFile> files = {{"app", app, "", 0, {}}};
  EXPECT_THAT(audit_text(files),
              testing::HasSubstr("\nother-system   app: is made for FreeBSD, not for Linux\n"));
  const auto json = nlohmann::json::parse(audit_json(files));
  const auto& file = json["files"][0];
  EXPECT_EQ(file["verdict"], "other-system");
  EXPECT_EQ(file["static"], false);
  EXPECT_EQ(file["system"], "FreeBSD");
  EXPECT_EQ(file["system_reason"], "EI_OSABI is 9");
  EXPECT_TRUE(file.contains("toolchain"));
  for (const char* key : {"needs", "linkage", "hardening"}) EXPECT_FALSE(file.contains(key)) << key;
  EXPECT_EQ(json["totals"]["not_static"], 1);
  EXPECT_THAT(audit_markdown(files), testing::HasSubstr("other-system: FreeBSD"));
}

TEST(AuditReport, JsonTellsWhatIsViolatedFromWhatIsUnknown) {
  const BinaryReport app = binary("app", Kind::static_executable, {{"type/exec", "is"}});
  const auto json = nlohmann::json::parse(audit_json(
      {{"app", app, "", 0, {{"nx", "lacks it", false}, {"rust>=1.70", "is unknown", true}}}}));
  EXPECT_EQ(json["files"][0]["violations"], nlohmann::json::parse(R"([
    {"rule": "nx", "answer": "violated", "reason": "lacks it"},
    {"rule": "rust>=1.70", "answer": "unknown", "reason": "is unknown"}])"));
  EXPECT_EQ(json["totals"]["violations"], 2);
}

TEST(AuditReport, EveryKindIsCounted) {
  std::vector<AuditedFile> files;
  for (const Kind kind : {Kind::static_executable, Kind::static_pie, Kind::dynamic_executable,
                          Kind::other_system, Kind::packed, Kind::shared_object, Kind::relocatable,
                          Kind::core, Kind::script, Kind::not_elf}) {
    files.push_back({"x", binary("x", kind, {}), "", 0, {}});
  }
  EXPECT_THAT(audit_text(files),
              testing::StartsWith(
                  "10 files: 1 static, 1 static-pie, 1 dynamic, 1 other-system, "
                  "1 packed, 1 shared-object, 1 relocatable, 1 core, 1 script, 1 not-elf\n\n"));
}

}  // namespace
}  // namespace whittle::report
