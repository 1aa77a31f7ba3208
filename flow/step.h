// SPDX-License-Identifier: MIT
//
// One step of a build: its command, its artifacts, and what it ships.
#pragma once

#include <functional>
#include <stop_token>

#include "flow/freshness.h"
#include "flow/plan.h"
#include "flow/process.h"
#include "flow/run.h"
#include "report/build_report.h"
#include "ship/event.h"

namespace whittle::flow {

struct StepContext {
  const Plan& plan;
  const RunOptions& options;
  const Freshness& freshness;
  std::stop_token stop;
  ship::Observer& observer;
  // Runs the step's `run`.
  std::function<ProcessResult(const CommandOutput&)> run_command;
};

// Does the step with that index in the plan, and fills in the warnings and the size report. Throws
// Error where it fails, Stopped (ship/ship.h) where the build is being stopped.
void run_step(std::size_t index, const StepContext& context, report::StepReport& report);

}  // namespace whittle::flow
