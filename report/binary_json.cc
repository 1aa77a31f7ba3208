// SPDX-License-Identifier: MIT
#include "report/binary_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "analyzer/analyzer.h"
#include "analyzer/hardening_facts.h"

namespace whittle::report {
namespace {

Json module_json(const analyzer::Module& module) {
  Json out = {{"path", module.path}, {"version", module.version}};
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out[std::string(name)] = value;
  };
  add("sum", module.sum);
  add("replaced_by", module.replaced_by);
  add("source", module.source);
  add("found_in", module.found_in);
  out["confidence"] = module.confidence;
  if (module.only_for_build) out["only_for_build"] = true;
  return out;
}

Json toolchain_json(const analyzer::Toolchain& toolchain) {
  Json out = {
      {"language", toolchain.language}, {"compiler", toolchain.compiler}, {"libc", toolchain.libc}};
  if (!toolchain.main_package.empty()) out["main_package"] = toolchain.main_package;
  if (!toolchain.notes.empty()) out["notes"] = toolchain.notes;
  if (toolchain.modules.empty()) return out;
  Json modules = Json::array();
  for (const analyzer::Module& module : toolchain.modules) modules.push_back(module_json(module));
  out["modules"] = std::move(modules);
  return out;
}

Json packing_json(const analyzer::Packing& packing) {
  Json out = {{"packer", packing.packer}, {"version", packing.version}};
  if (!packing.level.empty()) out["level"] = packing.level;
  out["contents_hidden"] = packing.hidden;
  if (packing.original_size == 0) return out;
  out["original_bytes"] = packing.original_size;
  out["original_sha256"] = packing.original_sha256;
  return out;
}

Json needs_json(const std::vector<analyzer::Need>& needs) {
  Json out = Json::array();
  for (const analyzer::Need& need : needs) {
    Json evidence = Json::array();
    for (const analyzer::Evidence& one : need.evidence) {
      evidence.push_back({{"kind", one.kind}, {"name", one.name}});
      if (one.offset) evidence.back()["offset"] = *one.offset;
    }
    out.push_back({{"id", need.id},
                   {"confidence", need.confidence},
                   {"title", need.title},
                   {"breaks", need.breaks},
                   {"supply", need.supply},
                   {"evidence", std::move(evidence)}});
    if (!need.supplied_by.empty()) out.back()["supplied_by"] = need.supplied_by;
  }
  return out;
}

Json hardening_json(const analyzer::Hardening& hardening) {
  Json out = Json::object();
  for (const analyzer::HardeningFact& fact : analyzer::kHardeningFacts) {
    std::string key(fact.id);
    std::replace(key.begin(), key.end(), '-', '_');
    out[key] = analyzer::name(hardening.*fact.state);
  }
  out["debug_info"] = hardening.debug_info;
  out["rpath"] = hardening.rpath;
  out["runpath"] = hardening.runpath;
  return out;
}

Json libraries_json(const std::vector<analyzer::Library>& libraries) {
  Json out = Json::array();
  for (const analyzer::Library& library : libraries) {
    Json one = {{"name", library.name}, {"found", !library.path.empty()}};
    if (!library.path.empty()) {
      one["path"] = library.path;
      one["found_by"] = library.found_by;
    }
    if (library.repeated) one["repeated"] = true;
    if (!library.needed.empty()) one["needed"] = libraries_json(library.needed);
    out.push_back(std::move(one));
  }
  return out;
}

Json linkage_json(const analyzer::Linkage& linkage) {
  Json versions = Json::array();
  for (const analyzer::VersionNeed& version : linkage.versions) {
    versions.push_back(
        {{"library", version.library}, {"version", version.version}, {"symbols", version.symbols}});
  }
  Json out = {{"versions", std::move(versions)},
              {"other_versions", linkage.other_versions},
              {"may_load", linkage.may_load},
              {"causes", linkage.causes},
              {"remedies", linkage.remedies}};
  if (linkage.libraries) {
    out["interpreter_path"] = linkage.libraries->interpreter;
    out["libraries"] = libraries_json(linkage.libraries->libraries);
    out["missing"] = linkage.libraries->missing;
  }
  return out;
}

}  // namespace

std::string packing_text(const analyzer::Packing& packing) {
  std::string out = packing.packer;
  if (!packing.version.empty()) out += ' ' + packing.version;
  if (!packing.level.empty()) out += fmt::format(" ({})", packing.level);
  return out;
}

Json summary_json(const analyzer::BinaryReport& binary) {
  Json reasons = Json::array();
  for (const analyzer::Reason& reason : binary.reasons) {
    reasons.push_back({{"id", reason.id}, {"text", reason.text}});
  }
  Json out = {{"path", binary.path},
              {"size_bytes", binary.size},
              {"verdict", analyzer::name(binary.kind)},
              {"static", analyzer::is_static(binary.kind)},
              {"reasons", std::move(reasons)}};
  if (binary.packing) out["packing"] = packing_json(*binary.packing);
  if (!binary.machine.empty()) {
    out["machine"] = binary.machine;
    out["bits"] = binary.bits;
    out["byte_order"] = binary.byte_order;
    if (!binary.system.empty()) {
      out["system"] = binary.system;
      out["system_reason"] = binary.system_reason;
    }
    if (!binary.interpreter.empty()) out["interpreter"] = binary.interpreter;
    out["needed"] = binary.needed;
    if (!binary.build_id.empty()) out["build_id"] = binary.build_id;
    if (!binary.go_build_id.empty()) out["go_build_id"] = binary.go_build_id;
    out["stripped"] = binary.stripped;
  }
  if (!binary.machine.empty() && binary.has_contents) {
    out["toolchain"] = toolchain_json(binary.toolchain);
  }
  // Of a program for another system it is unknown what it needs and how it is guarded.
  const bool is_judged = binary.kind != analyzer::Kind::other_system;
  if (!binary.machine.empty() && binary.has_contents && is_judged) {
    out["needs"] = needs_json(binary.needs);
    if (binary.kind == analyzer::Kind::dynamic_executable) {
      out["linkage"] = linkage_json(binary.linkage);
    }
    out["hardening"] = hardening_json(binary.hardening);
  }
  out["warnings"] = binary.warnings;
  return out;
}

Json detail_json(const analyzer::BinaryReport& binary) {
  Json out = summary_json(binary);
  if (binary.machine.empty()) return out;
  out["entry"] = binary.entry;
  out["symbols"] = binary.symbols;
  out["overlay_bytes"] = binary.overlay;
  Json segments = Json::array();
  for (const analyzer::SegmentInfo& segment : binary.segments) {
    segments.push_back({{"type", segment.type},
                        {"flags", segment.flags},
                        {"offset", segment.offset},
                        {"address", segment.vaddr},
                        {"file_bytes", segment.file_size},
                        {"memory_bytes", segment.memory_size},
                        {"alignment", segment.alignment}});
  }
  out["segments"] = std::move(segments);
  Json sections = Json::array();
  for (const analyzer::SectionInfo& section : binary.sections) {
    sections.push_back({{"name", section.name},
                        {"type", section.type},
                        {"address", section.address},
                        {"offset", section.offset},
                        {"bytes", section.size}});
  }
  out["sections"] = std::move(sections);
  return out;
}

}  // namespace whittle::report
