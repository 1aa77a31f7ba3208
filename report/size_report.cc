// SPDX-License-Identifier: MIT
#include "report/size_report.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "common/text.h"
#include "report/markdown.h"
#include "report/size_json.h"
#include "report/text_table.h"

namespace whittle::report {
namespace {

using Wire = std::optional<std::uint64_t> Stage::*;

TextTable make_table(const SizeReport& report) {
  TextTable table({Align::left, Align::right, Align::right, Align::right, Align::right,
                   Align::right, Align::right, Align::right, Align::left});
  table.add_row({"stage", "bytes on disk", "", "of built", "as gzip layer", "of built",
                 "as zstd layer", "of built"});
  for (const Stage& stage : report.stages) {
    const Stage& built = report.stages.front();
    std::vector<std::string> row = {printable(stage.name), group_digits(stage.disk),
                                    human_size(stage.disk), percent(stage.disk, built.disk)};
    for (const Wire wire : {&Stage::wire_gzip, &Stage::wire_zstd}) {
      row.push_back(stage.*wire ? group_digits(*(stage.*wire)) : "-");
      row.push_back(stage.*wire && built.*wire ? percent(*(stage.*wire), *(built.*wire)) : "-");
    }
    row.push_back(printable(stage.note));
    table.add_row(std::move(row));
  }
  return table;
}

// What the report is about, line by line: "image", "hello:1.0".
std::vector<std::pair<std::string_view, std::string_view>> facts(const SizeReport& report) {
  std::vector<std::pair<std::string_view, std::string_view>> out;
  if (!report.image_reference.empty()) out.emplace_back("image", report.image_reference);
  if (!report.image_digest.empty()) out.emplace_back("digest", report.image_digest);
  if (!report.output.empty()) out.emplace_back("output", report.output);
  return out;
}

std::string render_text(const SizeReport& report) {
  std::string out = fmt::format("Size of {}\n\n", printable(report.subject));
  out += make_table(report).text("  ");
  if (!report.verdicts.empty()) out += '\n';
  for (const std::string& verdict : report.verdicts) out += fmt::format("  {}\n", verdict);
  if (!report.warnings.empty()) out += '\n';
  for (const std::string& warning : report.warnings) {
    out += fmt::format("  warning: {}\n", printable(warning));
  }
  TextTable table({Align::left, Align::left});
  for (const auto& [name, value] : facts(report)) {
    table.add_row({std::string(name), printable(value)});
  }
  const std::string rows = table.text("  ");
  if (!rows.empty()) out += '\n' + rows;
  return out;
}

std::string render_markdown(const SizeReport& report) {
  std::string out = fmt::format("### Size of {}\n\n", markdown_code(report.subject));
  out += make_table(report).markdown();
  if (!report.verdicts.empty()) out += '\n';
  for (const std::string& verdict : report.verdicts) {
    out += fmt::format("- {}\n", markdown_text(verdict));
  }
  if (!report.warnings.empty()) out += '\n';
  for (const std::string& warning : report.warnings) {
    out += fmt::format("- warning: {}\n", markdown_text(warning));
  }
  const auto lines = facts(report);
  if (!lines.empty()) out += '\n';
  for (const auto& [name, value] : lines)
    out += fmt::format("- {}: {}\n", name, markdown_code(value));
  return out;
}

}  // namespace

Json size_json(const SizeReport& report) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
  };
  const auto number_or_null = [](std::optional<std::uint64_t> number) {
    return number ? Json(*number) : Json(nullptr);
  };
  Json stages = Json::array();
  for (const Stage& stage : report.stages) {
    stages.push_back({{"name", stage.name},
                      {"disk_bytes", stage.disk},
                      {"wire_gzip_bytes", number_or_null(stage.wire_gzip)},
                      {"wire_zstd_bytes", number_or_null(stage.wire_zstd)},
                      {"note", stage.note}});
  }
  return {{"schema", "whittle.size-report/1"},
          {"subject", report.subject},
          {"image_reference", text_or_null(report.image_reference)},
          {"image_digest", text_or_null(report.image_digest)},
          {"output", text_or_null(report.output)},
          {"stages", stages},
          {"verdicts", report.verdicts},
          {"warnings", report.warnings}};
}

std::string render(const SizeReport& report, Format format) {
  switch (format) {
    case Format::json:
      return dump(size_json(report));
    case Format::markdown:
      return render_markdown(report);
    case Format::text:
      break;
  }
  return render_text(report);
}

}  // namespace whittle::report
