// SPDX-License-Identifier: MIT
#include "report/sbom.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/digest.h"
#include "report/binary_json.h"
#include "report/json.h"
#include "report/text_table.h"

namespace whittle::report {
namespace {

struct Part {  // something that a file contains, needs, or was built with
  std::string name, version, purl;
  analyzer::Module module = {};  // for how it was found
};

bool is_certain(const Part& part) { return part.module.confidence == "high"; }

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
    parts.push_back({"stdlib", version, purl("golang", "stdlib", version)});
  }
  for (const analyzer::Module& module : toolchain.modules) {
    std::string name = module.path, version = module.version;
    if (!module.replaced_by.empty()) {  // what was built in is what counts
      const std::size_t at = module.replaced_by.rfind('@');
      name = module.replaced_by.substr(0, at);
      version = at == std::string::npos ? "" : module.replaced_by.substr(at + 1);
    }
    parts.push_back({name, version, purl(go ? "golang" : "cargo", name, version), module});
  }
  for (const std::string& library : report.needed) parts.push_back({library, "", ""});
  return parts;
}

std::string key_of(const Part& part) {
  return part.purl.empty() ? "library:" + part.name : part.purl;
}

// Every part once, as the file tells that is the surest of it. What is needed only to build one
// file may be in another.
using Known = std::map<std::string, Part>;
Known known_parts(const std::vector<analyzer::AuditedFile>& files) {
  Known known;
  for (const analyzer::AuditedFile& file : files) {
    if (!file.report) continue;
    for (Part& part : parts_of(*file.report)) {
      const auto [it, is_new] = known.try_emplace(key_of(part), part);
      if (is_new) continue;
      const bool only_for_build = it->second.module.only_for_build && part.module.only_for_build;
      if (is_certain(part) && !is_certain(it->second)) it->second = std::move(part);
      it->second.module.only_for_build = only_for_build;
    }
  }
  return known;
}

// CycloneDX's words for a list that the program brings, and for what its data lets conclude.
Json evidence_of(const Part& part) {
  const double confidence = is_certain(part) ? 1.0 : 0.5;
  const std::string_view technique = is_certain(part) ? "manifest-analysis" : "binary-analysis";
  return {{"identity",
           {{"field", "purl"},
            {"confidence", confidence},
            {"methods", Json::array({{{"technique", technique},
                                      {"confidence", confidence},
                                      {"value", part.module.found_in}}})}}}};
}

Json cyclonedx_part(const std::string& key, const Part& part) {
  Json out = {{"type", "library"}, {"bom-ref", key}, {"name", part.name}};
  if (!part.version.empty()) out["version"] = part.version;
  if (part.module.only_for_build) out["scope"] = "excluded";
  if (!part.purl.empty()) out["purl"] = part.purl;
  if (!part.module.found_in.empty()) out["evidence"] = evidence_of(part);
  Json properties = Json::array();
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) properties.push_back({{"name", name}, {"value", value}});
  };
  add("go:sum", part.module.sum);
  add("cargo:source", part.module.source);
  if (!properties.empty()) out["properties"] = std::move(properties);
  return out;
}

Json spdx_part(const std::string& id, const Part& part) {
  Json out = {{"SPDXID", id}, {"name", part.name}};
  if (!part.version.empty()) out["versionInfo"] = part.version;
  out["downloadLocation"] = "NOASSERTION";
  out["filesAnalyzed"] = false;
  if (!part.purl.empty()) {
    out["externalRefs"] = Json::array({{{"referenceCategory", "PACKAGE-MANAGER"},
                                        {"referenceType", "purl"},
                                        {"referenceLocator", part.purl}}});
  }
  if (!is_certain(part)) {
    out["comment"] = "Concluded with medium confidence from the " + part.module.found_in;
  }
  return out;
}

std::string comment_on(const analyzer::BinaryReport& report) {
  std::string out;
  if (report.kind == analyzer::Kind::other_system) out = "Made for " + report.system;
  if (const auto& packing = report.packing) {
    out += (out.empty() ? "Packed by " : "; packed by ") + packing_text(*packing);
    if (packing->hidden) out += "; what it contains is hidden";
  }
  return out;
}

// The number of files that the document lacks because they could not be read.
std::size_t missing(const std::vector<analyzer::AuditedFile>& files) {
  return static_cast<std::size_t>(std::count_if(
      files.begin(), files.end(), [](const auto& file) { return !file.report.has_value(); }));
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
  const Known all = known_parts(files);
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
    add("whittle:system", report.system);
    if (report.packing) {
      add("whittle:packed-by", packing_text(*report.packing));
      add("whittle:original-sha256", report.packing->original_sha256);
    }
    add("whittle:compiler", report.toolchain.compiler);
    for (const std::string& note : report.toolchain.notes) add("whittle:compiler-note", note);
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
      components.push_back(cyclonedx_part(key, all.at(key)));
    }
    dependencies.push_back({{"ref", ref}, {"dependsOn", refs}});
  }
  const Json tool = {{"type", "application"}, {"name", "whittle"}, {"version", version}};
  Json document = {{"bomFormat", "CycloneDX"},
                   {"specVersion", "1.5"},
                   {"version", 1},
                   {"metadata", {{"tools", {{"components", Json::array({tool})}}}}},
                   {"components", std::move(components)},
                   {"dependencies", std::move(dependencies)}};
  if (missing(files) != 0) {
    document["compositions"] = Json::array({Json{{"aggregate", "incomplete"}}});
  }
  return dump(document);
}

std::string spdx(const std::vector<analyzer::AuditedFile>& files, std::string_view version,
                 std::int64_t created) {
  const Known all = known_parts(files);
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
    const std::string comment = comment_on(*file.report);
    if (!comment.empty()) package["comment"] = comment;
    packages.push_back(std::move(package));
    relate("SPDXRef-DOCUMENT", "DESCRIBES", id);
    for (const Part& part : parts_of(*file.report)) {
      const auto [it, is_new] =
          known.emplace(key_of(part), fmt::format("SPDXRef-Part-{}", known.size()));
      if (is_new) {
        packages.push_back(spdx_part(it->second, all.at(it->first)));
      }
      if (part.module.only_for_build) {
        relate(it->second, "BUILD_DEPENDENCY_OF", id);
      } else {
        relate(id, part.purl.empty() ? "DEPENDS_ON" : "CONTAINS", it->second);
      }
    }
  }
  const std::string digest = to_hex(sha256(as_bytes(dump(packages) + dump(relationships))));
  Json document = {{"spdxVersion", "SPDX-2.3"},
                   {"dataLicense", "CC0-1.0"},
                   {"SPDXID", "SPDXRef-DOCUMENT"},
                   {"name", "whittle audit"},
                   {"documentNamespace", "urn:whittle:sha256:" + digest},
                   {"creationInfo",
                    {{"created", time_text(created)},
                     {"creators", Json::array({fmt::format("Tool: whittle-{}", version)})}}},
                   {"packages", std::move(packages)},
                   {"relationships", std::move(relationships)}};
  if (const std::size_t absent = missing(files); absent != 0) {
    document["comment"] = fmt::format("Incomplete: {} could not be read and {} not listed",
                                      count(absent, "file"), absent == 1 ? "is" : "are");
  }
  return dump(document);
}

}  // namespace whittle::report
