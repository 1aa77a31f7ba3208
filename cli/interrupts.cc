// SPDX-License-Identifier: MIT
#include "cli/interrupts.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <vector>

#include "cli/output.h"
#include "cli/progress.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include "flow/process.h"

namespace whittle::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTick{20};  // between looks for a second signal
// A supervisor needs no longer than this to end a command or to give up. Only a log that cannot be
// written (a terminal that was stopped) makes whittle wait for more.
constexpr auto kLimit = flow::kGrace + std::chrono::seconds(8);

// "step `a` and step `b`"
std::string list_steps(const std::vector<std::string>& labels) {
  std::string list;
  for (std::size_t i = 0; i < labels.size(); i++) {
    if (i > 0) list += i + 1 == labels.size() ? " and " : ", ";
    list += fmt::format("step `{}`", printable(labels[i]));
  }
  return list;
}

std::string describe(const flow::Interrupted& interrupted) {
  std::string text = "interrupted";
  if (!interrupted.ended.empty()) text += "; ended " + list_steps(interrupted.ended);
  if (!interrupted.killed.empty()) {
    text += "; had to kill processes of " + list_steps(interrupted.killed);
  }
  if (!interrupted.survivors.empty()) {
    text += "; processes could not be ended and still run, of " + list_steps(interrupted.survivors);
  }
  return text;
}

}  // namespace

Interrupts::Interrupts(flow::Build& build) : build_(build) {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction current {};
    // A signal that the parent chose to ignore (nohup) stays ignored.
    const bool ignored =
        ::sigaction(number, nullptr, &current) == 0 && current.sa_handler == SIG_IGN;
    if (!ignored) ::sigaddset(&signals, number);
  }
  ::pthread_sigmask(SIG_BLOCK, &signals, &former_mask_);
  signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  over_.reset(::eventfd(0, EFD_CLOEXEC));
  if (!signals_ || !over_) throw io_error("", "cannot wait for signals", errno);
  try {
    thread_ = std::thread([this] { wait_for_signals(); });
  } catch (const std::system_error&) {
    // Without a thread it is as in any other command; the supervisors see whittle end.
    ::pthread_sigmask(SIG_SETMASK, &former_mask_, nullptr);
  }
}

Interrupts::~Interrupts() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(over_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  signals_.reset();
  // A signal that came too late for the thread is handled as in any other command.
  ::pthread_sigmask(SIG_SETMASK, &former_mask_, nullptr);
}

int Interrupts::take_signal() {
  signalfd_siginfo info{};
  return ::read(signals_.get(), &info, sizeof info) == sizeof info
             ? static_cast<int>(info.ssi_signo)
             : 0;
}

void Interrupts::wait_for_signals() {
  std::array<pollfd, 2> waits{pollfd{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                              pollfd{.fd = over_.get(), .events = POLLIN, .revents = 0}};
  while (true) {
    if (::poll(waits.data(), waits.size(), -1) < 0) continue;
    if (const int number = take_signal(); number != 0) end_build(number);
    if (waits[1].revents != 0) return;
  }
}

void Interrupts::end_build(int signal_number) {
  build_.interrupt(signal_number);
  const auto limit = Clock::now() + kLimit;
  while (!build_.wait_for_processes(kTick) && Clock::now() < limit) {
    if (take_signal() != 0) build_.interrupt(SIGKILL);
  }
  clear_progress();
  print_error(describe(build_.interrupted()));
  remove_temporaries_and_die(signal_number);
}

}  // namespace whittle::cli
