// SPDX-License-Identifier: MIT
#include "flow/run.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>

#include "common/error.h"
#include "common/text.h"
#include "common/threads.h"
#include "flow/freshness.h"
#include "flow/preflight.h"
#include "flow/process.h"
#include "flow/script.h"
#include "flow/step.h"
#include "ship/ship.h"

namespace whittle::flow {
namespace {

// Before a failure stops the other steps, so that those with the same trouble can say so.
constexpr std::chrono::milliseconds kTogether{200};

// Hands events on one at a time.
class SerialObserver : public ship::Observer {
 public:
  explicit SerialObserver(ship::Observer& next) : next_(next) {}
  void on(const ship::Event& event) override {
    const std::lock_guard lock(mutex_);
    next_.on(event);
  }

 private:
  std::mutex mutex_;
  ship::Observer& next_;
};

// Hands warnings on and keeps them for the report.
class WarningCollector : public ship::Observer {
 public:
  explicit WarningCollector(ship::Observer& next) : next_(next) {}
  void on(const ship::Event& event) override {
    const auto* warning = std::get_if<ship::event::Warning>(&event.what);
    if (warning == nullptr) return;
    warnings.emplace(event.step, warning->text);
    next_.on(event);
  }

  std::multimap<std::string, std::string> warnings;  // by the step's label

 private:
  ship::Observer& next_;
};

void check_runnable(const Plan& plan, const RunOptions& options, ship::Observer& observer) {
  if (!std::filesystem::is_directory(options.work_dir)) {
    throw Error(ErrorKind::usage, options.work_dir.native(),
                "is given as work directory, but is not a folder");
  }
  for (const auto& [step, dependents, dependencies] : plan.steps) {
    const std::string where = config::place(plan.path, step.position);
    if (const std::string problem = problem_of_script(step.run); !problem.empty()) {
      throw Error(ErrorKind::usage, where,
                  fmt::format("the `run` of step `{}` {}", printable(step.label), problem));
    }
    if (step.dockerfile.empty()) continue;
    throw Error(ErrorKind::refused, where,
                fmt::format("step `{}` builds a Dockerfile, which needs an engine (buildah, podman "
                            "or docker); this version of whittle runs `run` steps on the host",
                            printable(step.label)));
  }
  check_host_paths(plan, options.work_dir, observer);
}

}  // namespace

// The state that the workers share, and the loop that each of them runs.
class Build::Scheduler {
 public:
  Scheduler(const Plan& plan, const RunOptions& options, ship::Observer& observer,
            const std::multimap<std::string, std::string>& warnings)
      : plan_(plan), options_(options), observer_(observer), freshness_(plan, options.work_dir) {
    report_.build_file = plan.path;
    for (std::size_t i = 0; i < plan.steps.size(); i++) {
      const auto& [step, dependents, dependencies] = plan.steps[i];
      waiting_for_.push_back(dependencies);
      if (dependencies == 0) ready_.insert(i);
      report::StepReport& report = report_.steps.emplace_back();
      report.label = step.label;
      for (auto [at, end] = warnings.equal_range(step.label); at != end; at++) {
        report.warnings.push_back(at->second);
      }
      if (step.run.empty()) continue;
      command_of_.emplace(i, commands_.size());
      const auto dir = (options.work_dir / step.dir).lexically_normal();
      commands_.push_back({.script = step.run, .dir = dir.native(), .env = step.env});
    }
    start_supervisors();
  }

  report::BuildReport run() {
    run_on_threads(worker_count(plan_.steps.size()), [this] { work(); });
    if (fatal_) std::rethrow_exception(fatal_);
    return std::move(report_);
  }

  void interrupt(int signal_number) {
    {
      const std::lock_guard lock(mutex_);
      no_more_ = true;
      if (!interrupted_) {
        interrupted_.emplace();
        for (const std::size_t index : active_) {
          interrupted_->ended.push_back(plan_.steps[index].step.label);
        }
      }
    }
    end_all(signal_number);
  }

  bool wait_for_processes(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, time, [&] { return active_.empty(); })) return false;
    lock.unlock();
    for (const auto& supervisor : supervisors_) supervisor->wait();
    return true;
  }

  Interrupted interrupted() const {
    const std::lock_guard lock(mutex_);
    return interrupted_.value_or(Interrupted());
  }

 private:
  unsigned worker_count(std::size_t most) const {
    const unsigned jobs = options_.jobs != 0 ? options_.jobs : processor_count();
    return static_cast<unsigned>(std::clamp<std::size_t>(jobs, 1, std::max<std::size_t>(most, 1)));
  }

  // As many as commands may run at once, or as the system has processes for.
  void start_supervisors() {
    while (supervisors_.size() <
           std::min<std::size_t>(worker_count(commands_.size()), commands_.size())) {
      try {
        supervisors_.push_back(std::make_unique<Supervisor>(commands_));
      } catch (const Error&) {
        if (supervisors_.empty()) throw;
        break;
      }
      idle_.push_back(supervisors_.back().get());
    }
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock,
                    [&] { return !ready_.empty() || done_ == plan_.steps.size() || no_more_; });
      if (ready_.empty() || no_more_) return;
      const std::size_t index = *ready_.begin();
      ready_.erase(ready_.begin());
      running_++;
      lock.unlock();
      attempt(index);
      lock.lock();
      running_--;
      done_++;
      finish(index, lock);
      changed_.notify_all();
    }
  }

  // Runs a step and notes how it ended. Nobody else touches its entry meanwhile.
  void attempt(std::size_t index) {
    report::StepReport& report = report_.steps[index];
    try {
      run_step(
          index,
          {.plan = plan_,
           .options = options_,
           .freshness = freshness_,
           .stop = stop_.get_token(),
           .observer = observer_,
           .run_command = [&](const CommandOutput& output) { return run_command(index, output); }},
          report);
      report.status = report::StepStatus::done;
    } catch (const Error& error) {
      report.status = report::StepStatus::failed;
      if (error.path().starts_with(plan_.path + ":")) {  // it has its place
        report.error.emplace(error);
      } else {
        const std::string where = fmt::format("{}: step `{}`", plan_.path, printable(report.label));
        report.error.emplace(error.kind(), where, error.what());
      }
    } catch (const ship::Stopped&) {
      report.status = report::StepStatus::stopped;
      observer_.on({report.label, ship::event::Stopped{}});
    } catch (...) {
      report.status = report::StepStatus::failed;
      const std::lock_guard lock(mutex_);
      if (!fatal_) fatal_ = std::current_exception();
    }
  }

  void finish(std::size_t index, std::unique_lock<std::mutex>& lock) {
    const report::StepStatus status = report_.steps[index].status;
    if (status == report::StepStatus::done) {
      for (const std::size_t dependent : plan_.steps[index].dependents) {
        if (--waiting_for_[dependent] == 0) ready_.insert(dependent);
      }
    }
    if (status != report::StepStatus::failed) return;
    report_.failures.push_back(index);
    if (no_more_) return;
    no_more_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, kTogether, [&] { return running_ == 0; });
    end_all(SIGTERM);
  }

  ProcessResult run_command(std::size_t index, const CommandOutput& output) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !idle_.empty() || no_more_; });
    if (no_more_) throw ship::Stopped();
    Supervisor* const supervisor = idle_.back();
    idle_.pop_back();
    active_.insert(index);
    lock.unlock();
    ProcessResult result;
    std::exception_ptr failure;
    try {
      result = supervisor->run(command_of_.at(index), output);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    active_.erase(index);
    idle_.push_back(supervisor);
    if (interrupted_) {
      const std::string& label = plan_.steps[index].step.label;
      if (result.killed) interrupted_->killed.push_back(label);
      if (!result.survivors.empty()) interrupted_->survivors.push_back(label);
    }
    changed_.notify_all();
    lock.unlock();
    if (failure) std::rethrow_exception(failure);
    return result;
  }

  void end_all(int signal_number) {
    stop_.request_stop();
    for (const auto& supervisor : supervisors_) supervisor->end(signal_number);
  }

  const Plan& plan_;
  const RunOptions options_;
  SerialObserver observer_;
  const Freshness freshness_;
  std::vector<Command> commands_;
  std::map<std::size_t, std::size_t> command_of_;  // step → index in commands_
  std::vector<std::unique_ptr<Supervisor>> supervisors_;
  std::stop_source stop_;

  mutable std::mutex mutex_;  // for all that follows
  std::condition_variable changed_;
  std::vector<std::size_t> waiting_for_;  // unfinished dependencies, by step
  std::set<std::size_t> ready_;
  std::set<std::size_t> active_;  // steps whose command runs
  std::vector<Supervisor*> idle_;
  std::size_t running_ = 0, done_ = 0;  // steps
  bool no_more_ = false;                // steps are started
  report::BuildReport report_;
  std::optional<Interrupted> interrupted_;
  std::exception_ptr fatal_;
};

Build::Build(const Plan& plan, const RunOptions& options, ship::Observer& observer) {
  WarningCollector collector(observer);
  check_runnable(plan, options, collector);
  scheduler_ = std::make_unique<Scheduler>(plan, options, observer, collector.warnings);
}

Build::~Build() = default;

report::BuildReport Build::run() { return scheduler_->run(); }

void Build::interrupt(int signal_number) { scheduler_->interrupt(signal_number); }

bool Build::wait_for_processes(std::chrono::milliseconds time) {
  return scheduler_->wait_for_processes(time);
}

Interrupted Build::interrupted() const { return scheduler_->interrupted(); }

}  // namespace whittle::flow
