// SPDX-License-Identifier: MIT
//
// What became of a build: every step, in the order of the plan, with what it shipped, what it had
// to warn of and why it failed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "report/size_report.h"

namespace whittle::report {

enum class StepStatus {
  done,
  failed,
  stopped,      // ended by whittle while it ran, because another step failed
  not_started,  // because another step failed
};
std::string_view name(StepStatus status);  // "not-started"

struct StepReport {
  std::string label;
  StepStatus status = StepStatus::not_started;
  std::vector<std::string> warnings;
  std::optional<Error> error;      // of a step that failed
  std::optional<SizeReport> size;  // of a step that is done and ships something
};

struct BuildReport {
  std::string build_file;
  std::vector<StepReport> steps;
  std::vector<std::size_t> failures;  // indices of the failed steps, the first to fail first

  bool is_done() const { return failures.empty(); }
};

// JSON is one document about all steps. Text and Markdown are the size reports, one after the
// other, and the warnings of steps that have none.
std::string render(const BuildReport& report, Format format);

}  // namespace whittle::report
