// SPDX-License-Identifier: MIT
#include "flow/run.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>

#include "common/error.h"
#include "common/text.h"
#include "common/threads.h"
#include "flow/added_file.h"
#include "flow/artifacts.h"
#include "flow/host_path.h"
#include "flow/outputs.h"
#include "flow/process.h"
#include "flow/ship.h"

namespace whittle::flow {
namespace {

// Hands calls on one at a time.
class SerialObserver : public Observer {
 public:
  explicit SerialObserver(Observer& next) : next_(next) {}
  void on_command(std::string_view step, std::string_view command) override {
    const std::lock_guard lock(mutex_);
    next_.on_command(step, command);
  }
  void on_output(std::string_view step, std::string_view line) override {
    const std::lock_guard lock(mutex_);
    next_.on_output(step, line);
  }
  void on_stage(std::string_view step, Stage stage, std::string_view summary) override {
    const std::lock_guard lock(mutex_);
    next_.on_stage(step, stage, summary);
  }
  void on_progress(std::string_view step, Stage stage, std::uint64_t done,
                   std::uint64_t total) override {
    const std::lock_guard lock(mutex_);
    next_.on_progress(step, stage, done, total);
  }
  void on_warning(std::string_view step, std::string_view warning) override {
    const std::lock_guard lock(mutex_);
    next_.on_warning(step, warning);
  }

 private:
  std::mutex mutex_;
  Observer& next_;
};

void run_command(const Step& step, const RunOptions& options, std::stop_token stop,
                 Observer& observer) {
  const auto dir = options.work_dir / step.dir;
  if (!leads_inside(dir, options.work_dir)) {
    throw Error(ErrorKind::refused, step.dir,
                "is the folder to run in, but is outside the work directory");
  }
  observer.on_command(step.label, step.run);
  const auto start = std::chrono::steady_clock::now();
  const ProcessResult result =
      run_process({.shell_command = step.run, .dir = dir, .env = step.env}, stop,
                  [&](std::string_view line) { observer.on_output(step.label, line); });
  if (result.stopped) throw Stopped();
  if (!result.ok()) {
    std::string message =
        result.signal != 0
            ? fmt::format("the command was killed by signal {} ({})", result.signal,
                          ::strsignal(result.signal))
            : fmt::format("the command failed with exit status {}", result.exit_status);
    if (result.tail.empty()) {
      message += "; it printed nothing";
    } else {
      message += "; the end of its output:";
      for (const std::string& line : result.tail) message += "\n  " + printable(line);
    }
    throw Error(ErrorKind::failed, "", message);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  observer.on_stage(step.label, Stage::compile, fmt::format("done in {:.1f} s", took.count()));
}

// Where the block's paths really lead is known only now; and a binary that is not there is a fault
// of the step, not of the disk.
void check_ship_paths(const ShipBlock& block, const RunOptions& options) {
  if (!std::filesystem::exists(options.work_dir / block.binary)) {
    throw Error(ErrorKind::failed, block.binary,
                "is the binary to ship, but the step did not create it");
  }
  std::vector<std::string> paths = {block.binary, block.output, block.image.output,
                                    block.image.layout};
  for (const std::string& text : block.image.add) paths.push_back(parse_added_file(text).source);
  for (const std::string& path : paths) {
    if (!path.empty() && !leads_inside(options.work_dir / path, options.work_dir)) {
      throw Error(ErrorKind::refused, path,
                  "leads out of the work directory through a symbolic link");
    }
  }
}

std::optional<report::SizeReport> run_step(const Step& step, const RunOptions& options,
                                           std::stop_token stop, Observer& observer) {
  if (!step.run.empty()) run_command(step, options, stop, observer);
  for (const Artifact& artifact : step.artifacts) {
    copy_artifact(artifact, options.work_dir / step.dir, options.work_dir);
  }
  if (!step.ship) return std::nullopt;
  check_ship_paths(*step.ship, options);
  ShipBlock block = *step.ship;
  if (block.image.tag.empty()) block.image.tag = step.name;
  return ship(block,
              {.base = options.work_dir,
               .not_static = ErrorKind::failed,
               .created = options.created,
               .step = step.label,
               .stop = stop},
              observer);
}

// The state that the workers share, and the loop that each of them runs.
class Scheduler {
 public:
  Scheduler(const Plan& plan, const RunOptions& options, Observer& observer)
      : plan_(plan), options_(options), observer_(observer) {
    for (std::size_t i = 0; i < plan.steps.size(); i++) {
      waiting_for_.push_back(plan.steps[i].dependencies);
      if (plan.steps[i].dependencies == 0) ready_.insert(i);
    }
  }

  std::vector<ShippedStep> run() {
    const unsigned jobs = options_.jobs != 0 ? options_.jobs : processor_count();
    run_on_threads(static_cast<unsigned>(std::clamp<std::size_t>(jobs, 1, plan_.steps.size())),
                   [this] { work(); });
    if (failure_) std::rethrow_exception(failure_);
    std::vector<ShippedStep> shipped;
    for (auto& [index, report] : reports_) {
      shipped.push_back({plan_.steps[index].step.label, std::move(report)});
    }
    return shipped;
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] {
        return !ready_.empty() || done_ == plan_.steps.size() || stop_.stop_requested();
      });
      if (ready_.empty() || stop_.stop_requested()) return;
      const std::size_t index = *ready_.begin();
      ready_.erase(ready_.begin());
      lock.unlock();
      auto outcome = attempt(plan_.steps[index].step);
      lock.lock();
      if (outcome.failure) {
        // Of the steps that end after the first failure, those that it stopped say nothing new.
        if (!failure_) failure_ = outcome.failure;
        stop_.request_stop();
      } else {
        if (outcome.report) reports_.emplace(index, std::move(*outcome.report));
        for (const std::size_t dependent : plan_.steps[index].dependents) {
          if (--waiting_for_[dependent] == 0) ready_.insert(dependent);
        }
      }
      done_++;
      changed_.notify_all();
    }
  }

  struct Outcome {
    std::optional<report::SizeReport> report;
    std::exception_ptr failure;
  };

  Outcome attempt(const Step& step) {
    Outcome outcome;
    try {
      outcome.report = run_step(step, options_, stop_.get_token(), observer_);
    } catch (const Error& error) {
      const std::string where = fmt::format("{}: step `{}`", plan_.path, step.label);
      outcome.failure = std::make_exception_ptr(Error(error.kind(), where, error.what()));
    } catch (...) {
      outcome.failure = std::current_exception();
    }
    return outcome;
  }

  const Plan& plan_;
  const RunOptions& options_;
  SerialObserver observer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::stop_source stop_;
  std::vector<std::size_t> waiting_for_;  // unfinished dependencies, by step
  std::set<std::size_t> ready_;
  std::map<std::size_t, report::SizeReport> reports_;
  std::size_t done_ = 0;
  std::exception_ptr failure_;
};

void check_runnable(const Plan& plan, const RunOptions& options) {
  if (!std::filesystem::is_directory(options.work_dir)) {
    throw Error(ErrorKind::usage, options.work_dir.native(),
                "is given as work directory, but is not a folder");
  }
  for (const auto& [step, dependents, dependencies] : plan.steps) {
    if (step.ship) {
      std::vector<NamedPath> outputs;
      for (const std::string& path : {step.ship->output, step.ship->archive()}) {
        if (!path.empty()) outputs.push_back({"an output", options.work_dir / path});
      }
      refuse_collisions({{"the build file", plan.path}}, outputs);
    }
    if (step.dockerfile.empty()) continue;
    throw Error(ErrorKind::refused,
                fmt::format("{}:{}:{}", plan.path, step.position.line, step.position.column),
                fmt::format("step `{}` builds a Dockerfile, which needs an engine (buildah, podman "
                            "or docker); this version of whittle runs `run` steps on the host",
                            step.label));
  }
}

}  // namespace

std::vector<ShippedStep> run(const Plan& plan, const RunOptions& options, Observer& observer) {
  check_runnable(plan, options);
  return Scheduler(plan, options, observer).run();
}

}  // namespace whittle::flow
