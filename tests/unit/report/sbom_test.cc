// SPDX-License-Identifier: MIT
#include "report/sbom.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

namespace whittle::report {
namespace {

std::vector<analyzer::AuditedFile> some_files() {
  analyzer::BinaryReport app;
  app.path = "bin/app";
  app.kind = analyzer::Kind::static_executable;
  app.sha256 = std::string(64, 'a');
  app.toolchain.language = "Go";
  app.toolchain.compiler = "go1.21.3 X:boringcrypto";
  app.toolchain.modules = {{"example.com/app", "(devel)", "", ""},
                           {"golang.org/x/net", "v0.1.0", "h1:x", ""},
                           {"old.com/m", "v1.0.0", "", "new.com/m@v2.0.0+incompatible"}};
  analyzer::BinaryReport tool;
  tool.path = "tool \"x\"";
  tool.kind = analyzer::Kind::dynamic_executable;
  tool.needed = {"libc.so.6"};
  tool.toolchain.language = "Rust";
  analyzer::Module serde{.path = "serde", .version = "1.0.2"};
  serde.found_in = "path of a source file";
  serde.confidence = "medium";
  analyzer::Module cc{.path = "cc", .version = "1.0.0"};
  cc.source = "crates.io";
  cc.found_in = ".dep-v0";
  cc.only_for_build = true;
  tool.toolchain.modules = {serde, cc};
  tool.toolchain.notes = {"GCC: (GNU) 12.2.0", "rustc version 1.63.0"};
  return {{"bin/app", app, "", 0, {}},
          {"tool \"x\"", tool, "", 0, {}},
          {"bad", std::nullopt, "is damaged", 4, {}}};
}

TEST(Sbom, NamesTheSystem) {
  auto files = some_files();
  files[0].report->system = "Linux";
  files[1].report->kind = analyzer::Kind::other_system;
  files[1].report->system = "FreeBSD";
  const auto json = nlohmann::json::parse(cyclonedx(files, "1"));
  const nlohmann::json property = {{"name", "whittle:system"}, {"value", "FreeBSD"}};
  std::size_t found = 0;
  for (const auto& component : json["components"]) {
    if (!component.contains("properties")) continue;
    for (const auto& one : component["properties"]) found += one == property;
  }
  EXPECT_EQ(found, 1u);
  const auto document = nlohmann::json::parse(spdx(files, "1", 0));
  std::size_t others = 0;
  for (const auto& package : document["packages"]) {
    if (!package.contains("primaryPackagePurpose")) continue;
    const bool other = package["name"] == "tool \"x\"";
    others += other;
    EXPECT_EQ(package.value("comment", ""), other ? "Made for FreeBSD" : "") << package;
  }
  EXPECT_EQ(others, 1u);
}

TEST(Sbom, CycloneDx) {
  const auto json = nlohmann::json::parse(cyclonedx(some_files(), "1.2.3"));
  EXPECT_EQ(json["bomFormat"], "CycloneDX");
  EXPECT_EQ(json["specVersion"], "1.5");
  EXPECT_EQ(json["metadata"]["tools"]["components"][0]["version"], "1.2.3");
  std::set<std::string> refs, purls;
  for (const auto& component : json["components"]) {
    EXPECT_TRUE(refs.insert(component["bom-ref"]).second) << component;
    if (component.contains("purl")) purls.insert(component["purl"]);
  }
  EXPECT_THAT(purls, testing::ElementsAre(
                         "pkg:cargo/cc@1.0.0", "pkg:cargo/serde@1.0.2",
                         "pkg:golang/example.com/app", "pkg:golang/golang.org/x/net@v0.1.0",
                         "pkg:golang/new.com/m@v2.0.0%2Bincompatible", "pkg:golang/stdlib@1.21.3"));
  ASSERT_EQ(json["dependencies"].size(), 2u);
  for (const auto& dependency : json["dependencies"]) {
    EXPECT_TRUE(refs.contains(dependency["ref"]));
    for (const auto& ref : dependency["dependsOn"]) EXPECT_TRUE(refs.contains(ref)) << ref;
  }
  EXPECT_EQ(json["components"][0]["hashes"][0]["content"], std::string(64, 'a'));
}

const nlohmann::json& named(const nlohmann::json& list, std::string_view name) {
  for (const auto& one : list) {
    if (one["name"] == name) return one;
  }
  throw std::runtime_error("nothing is named " + std::string(name));
}

TEST(Sbom, CycloneDxTellsHowSureItIs) {
  const auto json = nlohmann::json::parse(cyclonedx(some_files(), "1"))["components"];
  EXPECT_EQ(named(json, "serde")["evidence"]["identity"]["confidence"], 0.5);
  EXPECT_FALSE(named(json, "serde").contains("scope"));
  EXPECT_EQ(named(json, "cc")["evidence"]["identity"]["confidence"], 1.0);
  EXPECT_EQ(named(json, "cc")["scope"], "excluded");
  EXPECT_EQ(named(named(json, "cc")["properties"], "cargo:source")["value"], "crates.io");
  EXPECT_EQ(named(named(json, "tool \"x\"")["properties"], "whittle:compiler-note")["value"],
            "GCC: (GNU) 12.2.0");
}

TEST(Sbom, TellsWhatIsPacked) {
  auto files = some_files();
  files[0].report->packing = analyzer::Packing{.packer = "whittle",
                                               .version = "0.1.0",
                                               .level = "small",
                                               .original_size = 1,
                                               .original_sha256 = "abc",
                                               .hidden = false};
  const auto json = nlohmann::json::parse(cyclonedx(files, "1"))["components"];
  const auto& properties = named(json, "bin/app")["properties"];
  EXPECT_EQ(named(properties, "whittle:packed-by")["value"], "whittle 0.1.0 (small)");
  EXPECT_EQ(named(properties, "whittle:original-sha256")["value"], "abc");
  const auto packages = nlohmann::json::parse(spdx(files, "1", 0))["packages"];
  EXPECT_EQ(named(packages, "bin/app")["comment"], "Packed by whittle 0.1.0 (small)");
}

// One program names a crate by a path, the next lists it; and what built one is part of another.
TEST(Sbom, TheSurestFileDecides) {
  auto files = some_files();
  auto& other = files[0].report->toolchain;
  other.language = "Rust";
  other.modules = files[1].report->toolchain.modules;
  other.modules[0].confidence = "high";
  other.modules[0].found_in = ".dep-v0";
  other.modules[1].only_for_build = false;
  for (int order = 0; order < 2; order++) {
    const auto json = nlohmann::json::parse(cyclonedx(files, "1"))["components"];
    EXPECT_EQ(named(json, "serde")["evidence"]["identity"]["confidence"], 1.0) << order;
    EXPECT_FALSE(named(json, "cc").contains("scope")) << order;
    const auto packages = nlohmann::json::parse(spdx(files, "1", 0))["packages"];
    EXPECT_FALSE(named(packages, "serde").contains("comment")) << order;
    std::swap(files[0], files[1]);
  }
}

TEST(Sbom, Spdx) {
  const auto json = nlohmann::json::parse(spdx(some_files(), "1.2.3", 86400));
  EXPECT_EQ(json["spdxVersion"], "SPDX-2.3");
  EXPECT_EQ(json["dataLicense"], "CC0-1.0");
  EXPECT_EQ(json["creationInfo"]["created"], "1970-01-02T00:00:00Z");
  std::set<std::string> ids = {"SPDXRef-DOCUMENT"};
  for (const auto& package : json["packages"]) {
    EXPECT_TRUE(ids.insert(package["SPDXID"]).second);
    EXPECT_FALSE(package["name"].get<std::string>().empty());
    EXPECT_EQ(package["downloadLocation"], "NOASSERTION");
  }
  EXPECT_EQ(json["relationships"].size(), 2u + 4 + 3);
  EXPECT_TRUE(named(json["packages"], "serde").contains("comment"));
  EXPECT_FALSE(named(json["packages"], "cc").contains("comment"));
  EXPECT_THAT(json["relationships"],
              testing::Contains(nlohmann::json{
                  {"spdxElementId", named(json["packages"], "cc")["SPDXID"]},
                  {"relationshipType", "BUILD_DEPENDENCY_OF"},
                  {"relatedSpdxElement", named(json["packages"], "tool \"x\"")["SPDXID"]}}));
  for (const auto& relation : json["relationships"]) {
    EXPECT_TRUE(ids.contains(relation["spdxElementId"])) << relation;
    EXPECT_TRUE(ids.contains(relation["relatedSpdxElement"])) << relation;
  }
}

TEST(Sbom, IsTheSameForTheSameFiles) {
  EXPECT_EQ(spdx(some_files(), "1", 0), spdx(some_files(), "1", 0));
  EXPECT_NE(spdx(some_files(), "1", 0), spdx({}, "1", 0));
  EXPECT_EQ(cyclonedx({}, "1"), cyclonedx({}, "1"));
}

// A bill without a file that could not be read does not look like a whole one.
TEST(Sbom, SaysWhetherItIsWhole) {
  auto files = some_files();
  EXPECT_EQ(nlohmann::json::parse(cyclonedx(files, "1"))["compositions"],
            nlohmann::json::parse(R"([{"aggregate": "incomplete"}])"));
  EXPECT_EQ(nlohmann::json::parse(spdx(files, "1", 0))["comment"],
            "Incomplete: 1 file could not be read and is not listed");
  files.pop_back();
  EXPECT_FALSE(nlohmann::json::parse(cyclonedx(files, "1")).contains("compositions"));
  EXPECT_FALSE(nlohmann::json::parse(spdx(files, "1", 0)).contains("comment"));
}

}  // namespace
}  // namespace whittle::report
