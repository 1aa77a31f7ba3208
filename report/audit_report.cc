// SPDX-License-Identifier: MIT
#include "report/audit_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/text.h"
#include "report/binary_json.h"
#include "report/module_groups.h"
#include "report/text_table.h"

namespace whittle::report {
namespace {

constexpr std::array kKinds = {
    analyzer::Kind::static_executable,
    analyzer::Kind::static_pie,
    analyzer::Kind::dynamic_executable,
    analyzer::Kind::other_system,
    analyzer::Kind::packed,
    analyzer::Kind::shared_object,
    analyzer::Kind::relocatable,
    analyzer::Kind::core,
    analyzer::Kind::script,
    analyzer::Kind::not_elf,
};
constexpr std::string_view kErrorWord = "error";
constexpr std::size_t kVerdictWidth = 13;  // "shared-object"

std::string reasons_of(const analyzer::BinaryReport& report) {
  std::string out;
  for (const analyzer::Reason& reason : report.reasons) {
    if (!out.empty()) out += "; ";
    out += printable(reason.text);
  }
  return out;
}

std::string evidence_of(const analyzer::Need& need) {
  if (need.evidence.empty()) return "";
  const analyzer::Evidence& first = need.evidence.front();
  std::string out = fmt::format("{} {}", first.kind, printable(first.name));
  if (need.evidence.size() > 1) out += fmt::format(" and {} more", need.evidence.size() - 1);
  return out;
}

class Lines {  // below a file's first
 public:
  explicit Lines(std::string& out) : out_(out) {}
  void add(std::string_view text) { out_ += fmt::format("{:<{}}  {}\n", "", kVerdictWidth, text); }

 private:
  std::string& out_;
};

void add_libraries(const std::vector<analyzer::Library>& libraries, std::size_t depth,
                   Lines& lines) {
  for (const analyzer::Library& library : libraries) {
    std::string where =
        library.path.empty() ? "MISSING" : fmt::format("{} ({})", library.path, library.found_by);
    if (library.repeated) where = "listed elsewhere in this tree";
    lines.add(fmt::format("{:<{}}{} => {}", "", 2 * depth, library.name, where));
    add_libraries(library.needed, depth + 1, lines);
  }
}

void add_linkage(const analyzer::BinaryReport& report, Lines& lines) {
  const analyzer::Linkage& linkage = report.linkage;
  for (const analyzer::VersionNeed& version : linkage.versions) {
    lines.add(fmt::format("newest version: {} of {}", version.version, version.library));
  }
  for (const std::string& name : linkage.may_load) {
    lines.add("may load at run time: " + printable(name));
  }
  for (const std::string& cause : linkage.causes) lines.add("why: " + cause);
  for (const std::string& remedy : linkage.remedies) lines.add("to make it static: " + remedy);
  if (!linkage.libraries) return;
  if (!report.interpreter.empty()) {
    const std::string& path = linkage.libraries->interpreter;
    lines.add(fmt::format("{} => {}", report.interpreter, path.empty() ? "MISSING" : path));
  }
  add_libraries(linkage.libraries->libraries, 0, lines);
}

void add_modules(const analyzer::Toolchain& toolchain, Lines& lines) {
  constexpr std::size_t kNamed = 8;
  for (const ModuleGroup& group : module_groups(toolchain)) {
    const std::size_t shown = std::min(kNamed, group.names.size());
    std::string line = group.title;
    for (std::size_t i = 0; i < shown; i++) line += (i == 0 ? ": " : ", ") + group.names[i];
    if (shown < group.names.size()) line += fmt::format(" and {} more", group.names.size() - shown);
    lines.add(line);
  }
}

std::string totals(const std::vector<analyzer::AuditedFile>& files) {
  std::string out = count(files.size(), "file");
  std::string_view separator = ": ";
  const auto add = [&](std::uint64_t number, std::string_view word) {
    if (number == 0) return;
    out += fmt::format("{}{} {}", separator, group_digits(number), word);
    separator = ", ";
  };
  for (const analyzer::Kind kind : kKinds) {
    std::uint64_t number = 0;
    for (const auto& file : files) number += file.report && file.report->kind == kind;
    add(number, analyzer::name(kind));
  }
  std::uint64_t errors = 0, broken = 0;
  for (const auto& file : files) {
    errors += !file.report;
    broken += !file.violations.empty();
  }
  add(errors, errors == 1 ? "error" : "errors");
  separator = "; failed: ";
  add(broken, broken == 1 ? "breaks a rule" : "break a rule");
  add(errors, "could not be judged");
  return out;
}

Json violations_json(const std::vector<analyzer::Violation>& violations) {
  Json out = Json::array();
  for (const analyzer::Violation& violation : violations) {
    out.push_back({{"rule", violation.rule},
                   {"answer", violation.unknown ? "unknown" : "violated"},
                   {"reason", violation.reason}});
  }
  return out;
}

}  // namespace

std::string audit_text(const std::vector<analyzer::AuditedFile>& files) {
  std::string out;
  for (const analyzer::AuditedFile& file : files) {
    const std::string path = printable(file.path);
    if (!file.report) {
      out +=
          fmt::format("{:<{}}  {}: {}\n", kErrorWord, kVerdictWidth, path, printable(file.error));
      continue;
    }
    out += fmt::format("{:<{}}  {}: {}\n", analyzer::name(file.report->kind), kVerdictWidth, path,
                       reasons_of(*file.report));
    Lines lines(out);
    for (const analyzer::Violation& violation : file.violations) {
      lines.add(fmt::format("violates {}: {}", violation.rule, printable(violation.reason)));
    }
    if (file.report->kind == analyzer::Kind::dynamic_executable) add_linkage(*file.report, lines);
    if (const auto& packing = file.report->packing; packing && !packing->hidden) {
      lines.add(fmt::format("packed by {}: {} bytes, {} unpacked",
                            printable(packing_text(*packing)), group_digits(file.report->size),
                            group_digits(packing->original_size)));
    }
    add_modules(file.report->toolchain, lines);
    for (const analyzer::Need& need : file.report->needs) {
      lines.add(fmt::format("{} ({}): {}", need.id, need.confidence, evidence_of(need)));
    }
    for (const std::string& warning : file.report->warnings) {
      lines.add("warning: " + printable(warning));
    }
  }
  if (!files.empty()) out += '\n';
  return out + totals(files) + '\n';
}

std::string audit_json(const std::vector<analyzer::AuditedFile>& files) {
  Json list = Json::array();
  std::uint64_t static_files = 0, errors = 0, violations = 0;
  for (const analyzer::AuditedFile& file : files) {
    if (file.report) {
      list.push_back(summary_json(*file.report));
      list.back()["violations"] = violations_json(file.violations);
      violations += file.violations.size();
      static_files += analyzer::is_static(file.report->kind);
    } else {
      list.push_back(
          {{"path", file.path}, {"error", file.error}, {"exit_code", file.error_exit_code}});
      errors++;
    }
  }
  return dump({{"schema", "whittle.audit/1"},
               {"files", std::move(list)},
               {"totals",
                {{"files", files.size()},
                 {"static", static_files},
                 {"not_static", files.size() - static_files - errors},
                 {"errors", errors},
                 {"violations", violations}}}});
}

}  // namespace whittle::report
