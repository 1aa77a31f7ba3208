// SPDX-License-Identifier: MIT
//
// The size report, and what its numbers say in words. The trap it is built around: a packed file is
// compressed already, so a layer's own compression finds little left in it. What shrinks on disk by
// two thirds may pull as heavy as before, or heavier where zstd would have done better than the
// packer. So packing is judged by the pull, against the file that went into it, and the lightest
// way to ship is named when it is another one.
#include "report/size_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "common/text.h"
#include "report/json.h"
#include "report/text_table.h"

namespace whittle::report {
namespace {

using Wire = std::optional<std::uint64_t> Stage::*;

// A form of the executable, not what it was wrapped in.
bool is_file(const Stage& stage) { return stage.name != "layer" && stage.name != "image"; }

std::size_t find(const std::vector<Stage>& stages, std::string_view name) {
  const auto at = std::find_if(stages.begin(), stages.end(),
                               [&](const Stage& stage) { return stage.name == name; });
  return static_cast<std::size_t>(at - stages.begin());
}

double change_percent(std::uint64_t before, std::uint64_t after) {
  return before == 0 ? 0 : 100.0 * (static_cast<double>(after) / static_cast<double>(before) - 1.0);
}

// Too little for the one decimal that is shown.
bool is_nothing(double change) { return change > -0.05 && change < 0.05; }

// "63.3 % smaller"
std::string compare(double change, std::string_view less, std::string_view more) {
  return fmt::format("{:.1f} % {}", change < 0 ? -change : change, change < 0 ? less : more);
}

void judge_file(const Stage& built, const Stage& last, std::vector<std::string>& out) {
  const double change = change_percent(built.disk, last.disk);
  if (is_nothing(change)) {
    out.push_back("The file is as large as it was built.");
    return;
  }
  out.push_back(fmt::format("The file is {} than it was built: {} bytes instead of {}.",
                            compare(change, "smaller", "larger"), group_digits(last.disk),
                            group_digits(built.disk)));
}

void judge_packing(const Stage& before, const Stage& packed, std::vector<std::string>& out) {
  if (packed.disk == before.disk) {
    out.push_back("Packing changed nothing" +
                  (packed.note.empty() ? "." : " (" + printable(packed.note) + ")."));
    return;
  }
  std::vector<std::string> changed, same;
  bool lighter = false;
  const auto weigh = [&](Wire wire, std::string_view compression) {
    if (!(before.*wire) || !(packed.*wire)) return;
    const double change = change_percent(*(before.*wire), *(packed.*wire));
    if (is_nothing(change)) {
      same.push_back(std::string(compression));
    } else {
      changed.push_back(
          fmt::format("{} as {}", compare(change, "lighter", "heavier"), compression));
      lighter |= change < 0;
    }
  };
  weigh(&Stage::wire_gzip, "gzip");
  weigh(&Stage::wire_zstd, "zstd");
  if (changed.empty() && same.empty()) return;
  if (changed.empty()) {
    out.push_back("Packing leaves the pull as heavy as it was; what it saves is disk.");
    return;
  }
  std::string text = fmt::format("Packing makes the pull {}", fmt::join(changed, " and "));
  if (!same.empty()) text += fmt::format(" and leaves it the same as {}", same.front());
  text += lighter ? "." : ": for the network, ship it unpacked.";
  out.push_back(text);
}

// Names the lightest layer where the one that is shipped is not it.
void judge_lightest(const std::vector<Stage>& stages, const Stage& last,
                    std::vector<std::string>& out) {
  struct Way {
    std::uint64_t wire, disk;  // bytes
    const Stage* stage;
    std::string_view compression;
  };
  std::vector<Way> ways;
  for (const Stage& stage : stages) {
    if (stage.wire_gzip) ways.push_back({*stage.wire_gzip, stage.disk, &stage, "gzip"});
    if (stage.wire_zstd) ways.push_back({*stage.wire_zstd, stage.disk, &stage, "zstd"});
  }
  if (ways.empty()) return;
  const Way& lightest = *std::min_element(ways.begin(), ways.end(), [](const Way& a, const Way& b) {
    return std::tie(a.wire, a.disk) < std::tie(b.wire, b.disk);
  });
  const std::size_t layer = find(stages, "layer");
  const std::uint64_t shipped =
      layer < stages.size()
          ? stages[layer].disk
          : std::min(last.wire_gzip.value_or(UINT64_MAX), last.wire_zstd.value_or(UINT64_MAX));
  const double change = change_percent(shipped, lightest.wire);
  if (change >= 0 || is_nothing(change)) return;
  out.push_back(fmt::format(
      "The lightest pull would be the {} file in a {} layer: {} bytes, {} than this one.",
      printable(lightest.stage->name), lightest.compression, group_digits(lightest.wire),
      compare(change, "lighter", "heavier")));
}

// A Markdown code span cannot hold a backtick of its own length.
std::string code(std::string_view text) {
  const std::string shown = printable(text);
  return shown.find('`') == shown.npos ? '`' + shown + '`' : "`` " + shown + " ``";
}

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
  std::string out = fmt::format("### Size of {}\n\n", code(report.subject));
  out += make_table(report).markdown();
  if (!report.verdicts.empty()) out += '\n';
  for (const std::string& verdict : report.verdicts) {
    out += fmt::format("- {}\n", escape_markdown(verdict));
  }
  if (!report.warnings.empty()) out += '\n';
  for (const std::string& warning : report.warnings) {
    out += fmt::format("- warning: {}\n", escape_markdown(printable(warning)));
  }
  const auto lines = facts(report);
  if (!lines.empty()) out += '\n';
  for (const auto& [name, value] : lines) out += fmt::format("- {}: {}\n", name, code(value));
  return out;
}

std::string render_json(const SizeReport& report) {
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
  return dump({{"schema", "whittle.size-report/1"},
               {"subject", report.subject},
               {"image_reference", text_or_null(report.image_reference)},
               {"image_digest", text_or_null(report.image_digest)},
               {"output", text_or_null(report.output)},
               {"stages", stages},
               {"verdicts", report.verdicts},
               {"warnings", report.warnings}});
}

}  // namespace

void judge(SizeReport& report) {
  report.verdicts.clear();
  const std::vector<Stage>& stages = report.stages;
  const auto last = std::find_if(stages.rbegin(), stages.rend(), is_file);
  if (last == stages.rend()) return;
  if (&*last != &stages.front()) judge_file(stages.front(), *last, report.verdicts);
  const std::size_t packed = find(stages, "packed");
  if (packed > 0 && packed < stages.size()) {
    judge_packing(stages[packed - 1], stages[packed], report.verdicts);
  }
  judge_lightest(stages, *last, report.verdicts);
}

std::string render(const SizeReport& report, Format format) {
  switch (format) {
    case Format::json:
      return render_json(report);
    case Format::markdown:
      return render_markdown(report);
    case Format::text:
      break;
  }
  return render_text(report);
}

}  // namespace whittle::report
