// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "report/audit_report.h"
#include "report/binary_json.h"
#include "report/image_report.h"
#include "report/markdown.h"
#include "report/text_table.h"

namespace whittle::report {
namespace {

std::string made_by(const analyzer::Toolchain& toolchain) {
  return toolchain.compiler.empty() ? toolchain.language : toolchain.compiler;
}

std::string verdict_of(const analyzer::BinaryReport& report) {
  std::string out(analyzer::name(report.kind));
  if (report.kind == analyzer::Kind::other_system) out += ": " + report.system;
  if (!report.packing) return out;
  if (report.kind != analyzer::Kind::packed) out += ", packed";
  return out + " by " + packing_text(*report.packing);
}

std::string needs_of(const analyzer::BinaryReport& report) {
  std::string out;
  for (const analyzer::Need& need : report.needs) {
    if (!out.empty()) out += ", ";
    out += need.title;
    if (!need.supplied_by.empty()) {
      out += " (supplied)";
    } else if (need.confidence == "low") {
      out += " (perhaps)";
    }
  }
  return out;
}

void add_details(const analyzer::AuditedFile& file, std::string& out) {
  const analyzer::BinaryReport& report = *file.report;
  if (file.violations.empty() && report.needs.empty() && report.linkage.remedies.empty()) return;
  out += fmt::format("\n### {}\n\n", markdown_text(file.path));
  for (const analyzer::Violation& violation : file.violations) {
    out += fmt::format("- **violates {}**: {}\n", markdown_text(violation.rule),
                       markdown_text(violation.reason));
  }
  for (const std::string& remedy : report.linkage.remedies) {
    out += fmt::format("- to make it static: {}\n", markdown_text(remedy));
  }
  for (const analyzer::Need& need : report.needs) {
    if (!need.supplied_by.empty()) {
      out += fmt::format("- {} ({}): supplied by {}\n", markdown_text(need.title), need.confidence,
                         markdown_text(fmt::format("{}", fmt::join(need.supplied_by, ", "))));
      continue;
    }
    out += fmt::format("- {} ({}): without it, {}. To supply it: {}\n", markdown_text(need.title),
                       need.confidence, markdown_text(need.breaks), markdown_text(need.supply));
  }
}

std::string images_markdown(const Images& images) {
  if (images.empty()) return {};
  std::string out = "\n## Images\n";
  for (const analyzer::ImageReport& image : images) {
    out += fmt::format("\n### {}\n\n", markdown_text(image.path));
    for (const analyzer::Violation& violation : image.violations) {
      out += fmt::format("- **violates {}**: {}\n", markdown_text(violation.rule),
                         markdown_text(violation.reason));
    }
    if (!image.platform.empty())
      out += fmt::format("- platform: {}\n", markdown_text(image.platform));
    out += fmt::format("- {}\n", markdown_text(startup_text(image)));
    for (const std::string& line : script_lines(image)) {
      out += fmt::format("- {}\n", markdown_text(line));
    }
    for (const std::string& text : image.not_looked_at) {
      out += fmt::format("- **not looked at**: {}\n", markdown_text(text));
    }
  }
  return out;
}

}  // namespace

std::string audit_markdown(const std::vector<analyzer::AuditedFile>& files, const Images& images) {
  if (files.empty()) return "## Audit\n\nNo executable was found.\n" + images_markdown(images);
  TextTable table({Align::left, Align::left, Align::left, Align::left, Align::left});
  table.add_row({"file", "verdict", "made by", "may need", "violates"});
  std::string details;
  for (const analyzer::AuditedFile& file : files) {
    if (!file.report) {
      table.add_row({file.path, "error", "", file.error, ""});
      continue;
    }
    std::string rules;
    for (const analyzer::Violation& violation : file.violations) {
      rules += (rules.empty() ? "" : ", ") + violation.rule;
    }
    table.add_row({file.path, verdict_of(*file.report), made_by(file.report->toolchain),
                   needs_of(*file.report), rules});
    add_details(file, details);
  }
  return "## Audit\n\n" + table.markdown() + details + images_markdown(images);
}

}  // namespace whittle::report
