// SPDX-License-Identifier: MIT
#include "report/audit_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/text.h"
#include "report/binary_json.h"
#include "report/image_report.h"
#include "report/module_groups.h"
#include "report/text_table.h"
#include "report/wrapped.h"

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
  void add(std::string_view text) {
    out_ += wrapped(fmt::format("{:<{}}  {}", "", kVerdictWidth, text), kVerdictWidth + 4);
  }

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

void add_linkage(const analyzer::BinaryReport& report, Detail detail, Lines& lines) {
  const analyzer::Linkage& linkage = report.linkage;
  const auto& libraries = linkage.libraries;
  if (detail == Detail::brief) {
    for (const std::string& cause : linkage.causes) lines.add("why: " + cause);
    for (const std::string& remedy : linkage.remedies) lines.add("to make it static: " + remedy);
    if (libraries && !libraries->missing.empty()) {
      lines.add(fmt::format("missing: {}", fmt::join(libraries->missing, ", ")));
    }
    return;
  }
  for (const analyzer::VersionNeed& version : linkage.versions) {
    lines.add(fmt::format("newest version: {} of {}", version.version, version.library));
  }
  for (const std::string& name : linkage.may_load) {
    lines.add("may load at run time: " + printable(name));
  }
  for (const std::string& cause : linkage.causes) lines.add("why: " + cause);
  for (const std::string& remedy : linkage.remedies) lines.add("to make it static: " + remedy);
  if (!libraries) return;
  if (!report.interpreter.empty()) {
    const std::string& path = libraries->interpreter;
    lines.add(fmt::format("{} => {}", report.interpreter, path.empty() ? "MISSING" : path));
  }
  add_libraries(libraries->libraries, 0, lines);
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

std::string totals(const std::vector<analyzer::AuditedFile>& files, const Images& images) {
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
  if (!images.empty()) out += " in " + count(images.size(), "image");
  for (const auto& image : images) broken += !image.violations.empty();
  separator = "; failed: ";
  add(broken, broken == 1 ? "breaks a rule" : "break a rule");
  add(errors, "could not be judged");
  return out;
}

std::string first_line(std::string_view word, std::string_view text) {
  return wrapped(fmt::format("{:<{}}  {}", word, kVerdictWidth, text), kVerdictWidth + 4);
}

// Everything about a file. In brief: what failed, why, and what to do about it.
void add_file(const analyzer::AuditedFile& file, Detail detail, std::string& out) {
  const std::string path = printable(file.path);
  if (!file.report) {
    out += first_line(kErrorWord, path + ": " + printable(file.error));
    return;
  }
  const analyzer::BinaryReport& report = *file.report;
  out += first_line(analyzer::name(report.kind),
                    detail == Detail::brief ? path : path + ": " + reasons_of(report));
  Lines lines(out);
  for (const analyzer::Violation& violation : file.violations) {
    lines.add(fmt::format("violates {}: {}", violation.rule, printable(violation.reason)));
  }
  if (report.kind == analyzer::Kind::dynamic_executable) add_linkage(report, detail, lines);
  if (detail == Detail::brief) return;
  if (const auto& packing = report.packing; packing && !packing->hidden) {
    lines.add(fmt::format("packed by {}: {} bytes, {} unpacked", printable(packing_text(*packing)),
                          group_digits(report.size), group_digits(packing->original_size)));
  }
  add_modules(report.toolchain, lines);
  for (const analyzer::Need& need : report.needs) {
    std::string line = fmt::format("{} ({}): {}", need.id, need.confidence, evidence_of(need));
    if (!need.supplied_by.empty()) {
      line += "; supplied by " + printable(fmt::format("{}", fmt::join(need.supplied_by, ", ")));
    }
    lines.add(line);
  }
  for (const std::string& warning : report.warnings) {
    lines.add("warning: " + printable(warning));
  }
}

// One line of 80 columns.
void add_in_brief(const analyzer::AuditedFile& file, std::string& out) {
  const analyzer::BinaryReport& report = *file.report;
  std::vector<std::string> parts;
  const auto add = [&](const std::string& text) {
    if (!text.empty()) parts.push_back(printable(text));
  };
  add(report.toolchain.language.empty() ? report.toolchain.libc : report.toolchain.language);
  if (report.packing) add("packed by " + packing_text(*report.packing));
  std::string needs;
  for (const analyzer::Need& need : report.needs) {
    if (need.confidence == "low" || !need.supplied_by.empty()) continue;
    needs += (needs.empty() ? "may need " : ", ") + need.id.substr(need.id.find('/') + 1);
  }
  add(needs);
  if (!report.warnings.empty()) add(count(report.warnings.size(), "warning"));
  out +=
      fmt::format("{:<{}}  {}", analyzer::name(report.kind), kVerdictWidth, printable(file.path));
  const std::size_t used = columns(std::string_view(out).substr(out.rfind('\n') + 1)) + 2;
  constexpr std::size_t kWorthShowing = 4;
  if (!parts.empty() && used + kWorthShowing <= kTerminalColumns) {
    out += ": " + shortened(fmt::format("{}", fmt::join(parts, "; ")), kTerminalColumns - used);
  }
  out += '\n';
}

void add_image(const analyzer::ImageReport& image, std::string& out) {
  const bool is_told_below =
      std::any_of(image.violations.begin(), image.violations.end(),
                  [](const auto& violation) { return violation.rule == "entrypoint"; });
  const std::string startup = startup_text(image);
  out += first_line("image", printable(image.path) + ": " +
                                 (is_told_below ? startup.substr(0, startup.find(':')) : startup));
  Lines lines(out);
  for (const analyzer::Violation& violation : image.violations) {
    lines.add(fmt::format("violates {}: {}", violation.rule, printable(violation.reason)));
  }
  for (const std::string& script : script_lines(image)) lines.add(script);
  for (const std::string& text : image.not_looked_at) {
    lines.add("not looked at: " + printable(text));
  }
  if (!image.is_verified && !image.is_absent && image.not_looked_at.empty()) {
    lines.add("has layers without a digest: nothing says what they should be");
  }
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

std::string audit_text(const std::vector<analyzer::AuditedFile>& files, const Images& images,
                       Detail detail) {
  const auto is_in_order = [](const analyzer::AuditedFile& file) {
    return file.report && file.violations.empty();
  };
  std::string failed, passed;
  for (const analyzer::ImageReport& image : images) {
    add_image(image, image.violations.empty() ? passed : failed);
  }
  for (const analyzer::AuditedFile& file : files) {
    if (!is_in_order(file)) {
      add_file(file, detail, failed);
    } else if (detail == Detail::full) {
      add_file(file, detail, passed);
    } else {
      add_in_brief(file, passed);
    }
  }
  if (!failed.empty()) failed += '\n';
  if (!passed.empty()) passed.insert(passed.begin(), '\n');
  return failed + totals(files, images) + '\n' + passed;
}

std::string audit_json(const std::vector<analyzer::AuditedFile>& files, const Images& images) {
  Json list = Json::array(), image_list = Json::array();
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
  for (const analyzer::ImageReport& image : images) {
    image_list.push_back(image_json(image));
    violations += image.violations.size();
  }
  return dump({{"schema", "whittle.audit/1"},
               {"files", std::move(list)},
               {"images", std::move(image_list)},
               {"totals",
                {{"files", files.size()},
                 {"static", static_files},
                 {"not_static", files.size() - static_files - errors},
                 {"errors", errors},
                 {"violations", violations}}}});
}

}  // namespace whittle::report
