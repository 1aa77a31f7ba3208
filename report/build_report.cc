// SPDX-License-Identifier: MIT
#include "report/build_report.h"

#include <fmt/format.h>

#include "common/text.h"
#include "report/markdown.h"
#include "report/size_json.h"
#include "report/text_table.h"

namespace whittle::report {
namespace {

Json step_json(const StepReport& step) {
  Json error = nullptr;
  if (step.error) {
    error = {{"kind", name(step.error->kind())}, {"message", step.error->message()}};
  }
  const bool has_platform = step.size && !step.size->platform.empty();
  return {{"step", step.label},
          {"status", name(step.status)},
          {"platform", has_platform ? Json(step.size->platform) : Json(nullptr)},
          {"error", error},
          {"warnings", step.warnings},
          {"size_report", step.size ? size_json(*step.size) : Json(nullptr)}};
}

std::string render_json(const BuildReport& report) {
  Json steps = Json::array();
  for (const StepReport& step : report.steps) steps.push_back(step_json(step));
  return dump({{"schema", "whittle.build/1"},
               {"build_file", report.build_file},
               {"status", report.is_done() ? "done" : "failed"},
               {"steps", steps}});
}

std::string render_warnings(const StepReport& step, Format format) {
  const bool markdown = format == Format::markdown;
  const std::string label = printable(step.label);
  std::string out =
      markdown ? fmt::format("### Step {}\n\n", markdown_text(label)) : "Step " + label + "\n\n";
  for (const std::string& warning : step.warnings) {
    out += markdown ? fmt::format("- warning: {}\n", markdown_text(warning))
                    : fmt::format("  warning: {}\n", printable(warning));
  }
  return out;
}

}  // namespace

std::string_view name(StepStatus status) {
  switch (status) {
    case StepStatus::done:
      return "done";
    case StepStatus::failed:
      return "failed";
    case StepStatus::stopped:
      return "stopped";
    case StepStatus::not_started:
      break;
  }
  return "not-started";
}

std::string render(const BuildReport& report, Format format) {
  if (format == Format::json) return render_json(report);
  std::string out;
  for (const StepReport& step : report.steps) {
    if (!step.size && step.warnings.empty()) continue;
    if (!out.empty()) out += '\n';
    out += step.size ? render(*step.size, format) : render_warnings(step, format);
  }
  return out;
}

}  // namespace whittle::report
