// SPDX-License-Identifier: MIT
#include "report/sbom.h"

#include <fmt/format.h>
#include <time.h>

#include <map>
#include <set>

#include "common/digest.h"
#include "report/json.h"

namespace whittle::report {
namespace {

struct Part {  // something that a file contains
  std::string name, version, purl, sum;
};

// RFC 3986's unreserved characters stay; so does the slash, which purl uses to separate names.
std::string encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '/' || c == '-' || c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string purl(std::string_view type, std::string_view name, std::string_view version) {
  std::string out = fmt::format("pkg:{}/{}", type, encode(name));
  if (!version.empty() && version != "(devel)") out += "@" + encode(version);
  return out;
}

std::vector<Part> parts_of(const analyzer::BinaryReport& report) {
  const analyzer::Toolchain& toolchain = report.toolchain;
  std::vector<Part> parts;
  const bool go = toolchain.language == "Go";
  if (go && toolchain.compiler.starts_with("go")) {
    const std::string version = toolchain.compiler.substr(2, toolchain.compiler.find(' ') - 2);
    parts.push_back({"stdlib", version, purl("golang", "stdlib", version), ""});
  }
  for (const analyzer::Module& module : toolchain.modules) {
    std::string name = module.path, version = module.version;
    if (!module.replaced_by.empty()) {  // what was built in is what counts
      const std::size_t at = module.replaced_by.rfind('@');
      name = module.replaced_by.substr(0, at);
      version = at == std::string::npos ? "" : module.replaced_by.substr(at + 1);
    }
    parts.push_back({name, version, purl(go ? "golang" : "cargo", name, version), module.sum});
  }
  for (const std::string& library : report.needed) parts.push_back({library, "", "", ""});
  return parts;
}

std::string key_of(const Part& part) {
  return part.purl.empty() ? "library:" + part.name : part.purl;
}

std::string time_text(std::int64_t seconds) {
  const time_t time = seconds;
  tm fields{};
  ::gmtime_r(&time, &fields);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", fields.tm_year + 1900,
                     fields.tm_mon + 1, fields.tm_mday, fields.tm_hour, fields.tm_min,
                     fields.tm_sec);
}

}  // namespace

std::string cyclonedx(const std::vector<analyzer::AuditedFile>& files, std::string_view version) {
  Json components = Json::array(), dependencies = Json::array();
  std::set<std::string> known;
  std::size_t number = 0;
  for (const analyzer::AuditedFile& file : files) {
    if (!file.report) continue;
    const analyzer::BinaryReport& report = *file.report;
    const std::string ref = fmt::format("file:{}", number++);
    Json component = {{"type", "application"}, {"bom-ref", ref}, {"name", file.path}};
    if (!report.sha256.empty()) {
      component["hashes"] = Json::array({{{"alg", "SHA-256"}, {"content", report.sha256}}});
    }
    Json properties = Json::array();
    const auto add = [&](std::string_view name, std::string_view value) {
      if (!value.empty()) properties.push_back({{"name", name}, {"value", value}});
    };
    add("whittle:verdict", analyzer::name(report.kind));
    add("whittle:compiler", report.toolchain.compiler);
    add("whittle:libc", report.toolchain.libc);
    add("whittle:build-id", report.build_id);
    for (const analyzer::Setting& setting : report.toolchain.settings) {
      add("go:build:" + setting.key, setting.value);
    }
    component["properties"] = std::move(properties);
    components.push_back(std::move(component));

    std::set<std::string> refs;
    for (const Part& part : parts_of(report)) {
      const std::string key = key_of(part);
      refs.insert(key);
      if (!known.insert(key).second) continue;
      Json library = {{"type", "library"}, {"bom-ref", key}, {"name", part.name}};
      if (!part.version.empty()) library["version"] = part.version;
      if (!part.purl.empty()) library["purl"] = part.purl;
      if (!part.sum.empty()) {
        library["properties"] = Json::array({{{"name", "go:sum"}, {"value", part.sum}}});
      }
      components.push_back(std::move(library));
    }
    dependencies.push_back({{"ref", ref}, {"dependsOn", refs}});
  }
  const Json tool = {{"type", "application"}, {"name", "whittle"}, {"version", version}};
  return dump({{"bomFormat", "CycloneDX"},
               {"specVersion", "1.5"},
               {"version", 1},
               {"metadata", {{"tools", {{"components", Json::array({tool})}}}}},
               {"components", std::move(components)},
               {"dependencies", std::move(dependencies)}});
}

std::string spdx(const std::vector<analyzer::AuditedFile>& files, std::string_view version,
                 std::int64_t created) {
  Json packages = Json::array(), relationships = Json::array();
  const auto relate = [&](std::string_view from, std::string_view how, std::string_view to) {
    relationships.push_back(
        {{"spdxElementId", from}, {"relationshipType", how}, {"relatedSpdxElement", to}});
  };
  std::map<std::string, std::string> known;  // key of a part: its SPDXID
  std::size_t number = 0;
  for (const analyzer::AuditedFile& file : files) {
    if (!file.report) continue;
    const std::string id = fmt::format("SPDXRef-File-{}", number++);
    Json package = {{"SPDXID", id},
                    {"name", file.path},
                    {"downloadLocation", "NOASSERTION"},
                    {"filesAnalyzed", false},
                    {"primaryPackagePurpose", "APPLICATION"}};
    if (!file.report->sha256.empty()) {
      package["checksums"] =
          Json::array({{{"algorithm", "SHA256"}, {"checksumValue", file.report->sha256}}});
    }
    packages.push_back(std::move(package));
    relate("SPDXRef-DOCUMENT", "DESCRIBES", id);
    for (const Part& part : parts_of(*file.report)) {
      const auto [it, is_new] =
          known.emplace(key_of(part), fmt::format("SPDXRef-Part-{}", known.size()));
      if (is_new) {
        Json one = {{"SPDXID", it->second}, {"name", part.name}};
        if (!part.version.empty()) one["versionInfo"] = part.version;
        one["downloadLocation"] = "NOASSERTION";
        one["filesAnalyzed"] = false;
        if (!part.purl.empty()) {
          one["externalRefs"] = Json::array({{{"referenceCategory", "PACKAGE-MANAGER"},
                                              {"referenceType", "purl"},
                                              {"referenceLocator", part.purl}}});
        }
        packages.push_back(std::move(one));
      }
      relate(id, part.purl.empty() ? "DEPENDS_ON" : "CONTAINS", it->second);
    }
  }
  const std::string digest = to_hex(sha256(as_bytes(dump(packages) + dump(relationships))));
  return dump({{"spdxVersion", "SPDX-2.3"},
               {"dataLicense", "CC0-1.0"},
               {"SPDXID", "SPDXRef-DOCUMENT"},
               {"name", "whittle audit"},
               {"documentNamespace", "urn:whittle:sha256:" + digest},
               {"creationInfo",
                {{"created", time_text(created)},
                 {"creators", Json::array({fmt::format("Tool: whittle-{}", version)})}}},
               {"packages", std::move(packages)},
               {"relationships", std::move(relationships)}});
}

}  // namespace whittle::report
