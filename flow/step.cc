// SPDX-License-Identifier: MIT
#include "flow/step.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "common/error.h"
#include "common/host_path.h"
#include "common/log_text.h"
#include "common/text.h"
#include "flow/artifacts.h"
#include "flow/preflight.h"
#include "ship/ship.h"

namespace whittle::flow {
namespace {

void warn(const config::Step& step, const StepContext& context, report::StepReport& report,
          const std::string& warning) {
  context.observer.on({step.label, ship::event::Warning{warning}});
  report.warnings.push_back(warning);
}

// "line 2 of its script (`go vet ./...`)", or "the command" where the script is one.
std::string describe_place(const config::Step& step, LineRange lines) {
  const auto script = split_lines(step.run);
  if (lines.first == 0 || lines.last > script.size() || script.size() == 1 ||
      (lines.first == 1 && lines.last == script.size())) {
    return "the command";
  }
  constexpr std::size_t kMost = 60;  // bytes of a line that are shown, or a whole character less
  const std::string_view line = script[lines.first - 1];
  std::size_t length = std::min(line.size(), kMost);
  while (length > 0 && length < line.size() && !is_utf8(line.substr(0, length))) length--;
  const bool is_all = lines.first == lines.last && length == line.size();
  return fmt::format("line {} of its script (`{}{}`)", lines.first,
                     plain_line(line.substr(0, length)), is_all ? "" : "…");
}

Error command_failure(const config::Step& step, const ProcessResult& result) {
  std::string message =
      result.signal != 0 ? fmt::format("the command was killed by signal {} ({})", result.signal,
                                       ::strsignal(result.signal))
                         : fmt::format("{} failed with exit status {}",
                                       describe_place(step, result.last_lines), result.exit_status);
  if (result.tail.empty()) {
    message += "; it printed nothing";
  } else {
    message += "; the end of its output:";
    for (const std::string& line : result.tail) message += "\n  " + plain_line(line);
  }
  return Error(ErrorKind::failed, "", message);
}

void run_command(const config::Step& step, const StepContext& context, report::StepReport& report) {
  if (!leads_inside(context.options.work_dir / step.dir, context.options.work_dir)) {
    throw Error(ErrorKind::refused, step.dir,
                "is the folder to run in, but is outside the work directory");
  }
  ship::Observer& observer = context.observer;
  const auto start = std::chrono::steady_clock::now();
  const ProcessResult result =
      context.run_command({.on_command =
                               [&](std::string_view line) {
                                 observer.on({step.label, ship::event::Started{line}});
                               },
                           .on_line =
                               [&](std::string_view line) {
                                 observer.on({step.label, ship::event::Output{line}});
                               }});
  if (!result.left.empty()) {
    warn(step, context, report,
         fmt::format("`run` left processes running, which were {}: {}",
                     result.killed ? "killed" : "ended", printable(result.left)));
  }
  if (!result.survivors.empty()) {
    throw Error(ErrorKind::failed, "",
                fmt::format("processes of the command could not be ended and still run: {}",
                            printable(result.survivors)));
  }
  if (result.stopped) throw ship::Stopped();
  if (!result.ok()) throw command_failure(step, result);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const std::string summary = fmt::format("done in {:.1f} s", took.count());
  observer.on({step.label, ship::event::Done{ship::Stage::compile, summary}});
}

}  // namespace

void run_step(std::size_t index, const StepContext& context, report::StepReport& report) {
  const config::Step& step = context.plan.steps[index].step;
  const RunOptions& options = context.options;
  const auto binary = step.ship ? options.work_dir / step.ship->binary : options.work_dir;
  const auto before = stamp_of(binary);
  if (!step.run.empty()) run_command(step, context, report);
  const bool is_changed = stamp_of(binary) != before;
  for (const config::Artifact& artifact : step.artifacts) {
    copy_artifact(artifact, options.work_dir / step.dir, options.work_dir);
  }
  if (!step.ship) return;
  check_shipped_paths(step, context.plan.path, options.work_dir);
  if (!is_changed) {
    const std::string warning = context.freshness.warning(index);
    if (!warning.empty()) warn(step, context, report, warning);
  }
  ship::ShipRequest block = *step.ship;
  if (block.image.tag.empty()) block.image.tag = step.name;
  report.size = ship::ship_executable(block,
                                      {.base = options.work_dir,
                                       .not_static = ErrorKind::failed,
                                       .created = options.created,
                                       .step = step.label,
                                       .stop = context.stop,
                                       .measure = options.weigh},
                                      context.observer);
  report.warnings.insert(report.warnings.end(), report.size->warnings.begin(),
                         report.size->warnings.end());
  report.size->warnings = report.warnings;
}

}  // namespace whittle::flow
