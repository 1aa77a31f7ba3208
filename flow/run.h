// SPDX-License-Identifier: MIT
//
// Runs a plan. Steps that are ready run in parallel, up to `jobs` at once; the first failure stops
// the rest. Steps that fail at about the same time as the first are failures as well: their common
// cause is found sooner when all of them are named.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "flow/plan.h"
#include "report/build_report.h"
#include "ship/event.h"

namespace whittle::flow {

struct RunOptions {
  std::filesystem::path work_dir = ".";
  unsigned jobs = 0;         // steps at once; 0: as many as there are processors
  std::int64_t created = 0;  // the time that images carry, seconds since 1970
  bool weigh = true;         // see ShipContext::measure
};

// What an interrupt ended: labels of steps whose command ran.
struct Interrupted {
  std::vector<std::string> ended;      // all of them
  std::vector<std::string> killed;     // those with processes that did not end when told to
  std::vector<std::string> survivors;  // those with processes that could not be ended
};

class Build {
 public:
  // Checks what can be checked before anything runs, and starts the processes that commands will
  // run under: call it before there are other threads. Throws Error{refused} where a step builds a
  // Dockerfile; Error{usage} where the work directory does not exist or a `run` is no script; what
  // check_host_paths throws (flow/preflight.h); Error{io} where the system has no process to give.
  Build(const Plan& plan, const RunOptions& options, ship::Observer& observer);
  ~Build();
  Build(const Build&) = delete;
  Build& operator=(const Build&) = delete;

  // Runs the steps; once. Failures of steps are in the report: Error{failed} of a command that
  // failed, or that left a process which cannot be ended, and whatever shipping an executable
  // throws (see ship/ship.h). The message names the step, or its place in the build file. No
  // process that a step started is left when this returns.
  report::BuildReport run();

  // From another thread, while `run` is under way: passes the signal on to all commands, and starts
  // no more. SIGKILL ends them at once; without it, what has not ended gets it later (see kGrace in
  // flow/process.h).
  void interrupt(int signal_number);

  // Waits until the commands that an interrupt found have ended with all of their processes; false
  // where that takes longer. `run` may go on after that: what it does in this process does not stop
  // at once.
  bool wait_for_processes(std::chrono::milliseconds time);
  Interrupted interrupted() const;

 private:
  class Scheduler;
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace whittle::flow
