// SPDX-License-Identifier: MIT
//
// Runs a plan. Steps that are ready run in parallel, up to `jobs` at once; the first failure stops
// the rest and is the one that is reported.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "flow/observer.h"
#include "flow/plan.h"
#include "report/size_report.h"

namespace whittle::flow {

struct RunOptions {
  std::filesystem::path work_dir = ".";
  unsigned jobs = 0;         // steps at once; 0: as many as there are processors
  std::int64_t created = 0;  // the time that images carry, seconds since 1970
};

struct ShippedStep {
  std::string label;
  report::SizeReport report;
};

// Returns one entry for every step with a `whittle` block, in the order of the plan.
//
// Throws Error{refused} before anything runs when a step builds a Dockerfile; Error{usage} when the
// work directory does not exist; Error{failed} when a command does, with its exit status and the
// last lines of its output; and whatever shipping an executable throws (see flow/ship.h). The
// message names the step. No process that a step started is left when this returns or throws.
std::vector<ShippedStep> run(const Plan& plan, const RunOptions& options, Observer& observer);

}  // namespace whittle::flow
