// SPDX-License-Identifier: MIT
//
// The process has one thread and no handlers: signals are read from a descriptor. It is a subreaper
// (prctl(2)), so that a process whose parent ends becomes its child, and a child subreaper's
// `waitpid` knows for certain when no descendant is left: when there is no child. /proc is only
// needed to find out whom to send a signal.
//
// Signals go to process groups, not to processes: the kernel delivers them to a whole group at
// once, so no member can escape by forking. Every group below the supervisor has been made by the
// command, because its shell begins a session, and groups do not reach across sessions. A process
// that moves on to a new session again and again may outrun that. Then the control group ends it,
// where there is one, and otherwise the supervisor gives up after a while and says so.
#include "flow/supervise.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <string>

#include "common/signals.h"
#include "config/substitute.h"
#include "flow/descendants.h"

namespace whittle::flow {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// What the shell leaves running may be about to end: `tee`, for example, once it has read the last
// of its input.
constexpr milliseconds kLinger{500};
constexpr milliseconds kKillInterval{10};      // between attempts to kill what is still there
constexpr std::chrono::seconds kKillLimit{5};  // then it is taken for unkillable

constexpr int kOutOfTheWay = 10;  // of the descriptors that a script may name

constexpr std::array kEndingSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// "sleep, sh and 3 more"
std::string list(const std::optional<std::vector<ProcessEntry>>& processes) {
  if (!processes) return "(unknown: there is no usable /proc)";
  constexpr std::size_t kMost = 5;
  std::vector<std::string> names;
  std::size_t more = 0;
  for (const ProcessEntry& process : *processes) {
    if (!process.is_running()) continue;
    if (std::find(names.begin(), names.end(), process.name) != names.end()) continue;
    if (names.size() < kMost) {
      names.push_back(process.name);
    } else {
      more++;
    }
  }
  std::string text = fmt::format("{}", fmt::join(names, ", "));
  if (more > 0) text += fmt::format(" and {} more", more);
  return text;
}

template <std::size_t N>
void store(const std::string& text, std::array<char, N>& field) {
  field.fill(0);
  std::memcpy(field.data(), text.data(), std::min(text.size(), N - 1));
}

// Exec'ed arguments and environment: the strings, and pointers to them.
class Strings {
 public:
  explicit Strings(std::vector<std::string> strings) : strings_(std::move(strings)) {
    for (std::string& text : strings_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
  }
  char* const* get() { return pointers_.data(); }

 private:
  std::vector<std::string> strings_;
  std::vector<char*> pointers_;
};

std::vector<std::string> environment_of(const Command& command) {
  Environment variables = process_environment();
  for (const auto& [name, value] : command.env) variables[name] = value;
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  return environment;
}

class Supervision {
 public:
  Supervision(const SupervisorSetup& setup, int signals) : setup_(setup), signals_(signals) {}

  [[noreturn]] void serve() {
    while (!over_) {
      const auto request = take_events(std::nullopt);
      if (request) {
        run(setup_.commands[static_cast<std::size_t>(request->value)]);
        ::send(setup_.control, &report_, sizeof report_, MSG_NOSIGNAL);
      }
    }
    setup_.group.remove();
    ::_exit(0);
  }

 private:
  enum class Phase {
    idle,       // nothing runs
    running,    // the shell does
    lingering,  // the shell has ended, others have not, and are not disturbed yet
    ending,     // processes were sent a signal, and have until the deadline
    killing,    // what is left is sent SIGKILL until the deadline
  };

  void run(const Command& command) {
    report_ = {};
    const auto commands = split_script(command.script, complete_for_shell);
    // Meanwhile the build may have been stopped.
    take_events(milliseconds(0));
    if (over_) {
      report_.stopped = true;
      return;
    }
    const PreparedScript script = prepare_script(command.script, commands, setup_.marks);
    if (script.descriptor < 0) {
      print(setup_.marks.mark({1, split_lines(command.script).size()}));
    }
    report_.start_error = start(command, script);
    if (report_.start_error != 0) return;
    phase_ = Phase::running;
    while (!reap()) {
      const bool may_linger = phase_ == Phase::running || (phase_ == Phase::ending && !terminated_);
      if (shell_ == 0 && may_linger) enter(Phase::lingering, kLinger);
      if (deadline_ && Clock::now() >= *deadline_) pass_deadline();
      if (phase_ == Phase::idle) break;
      const auto until = phase_ == Phase::killing ? Clock::now() + kKillInterval : deadline_;
      take_events(until);
      if (phase_ == Phase::killing) kill_all();
    }
    phase_ = Phase::idle;
    deadline_.reset();
    limit_.reset();
    terminated_ = false;
  }

  void print(const std::string& text) {
    std::string_view rest = text;
    while (!rest.empty()) {
      const ssize_t n = ::write(setup_.output, rest.data(), rest.size());
      if (n <= 0) return;
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  // Returns errno, or 0.
  int start(const Command& command, const PreparedScript& script) {
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return errno;
    Strings arguments({"/bin/sh", "-e", "-c", script.text});
    Strings environment(environment_of(command));
    std::array<int, 2> problem{};
    if (::pipe2(problem.data(), O_CLOEXEC) != 0) return errno;
    shell_ = ::fork();
    if (shell_ == 0) {
      const int answer = ::fcntl(problem[1], F_DUPFD_CLOEXEC, kOutOfTheWay);
      if (prepare_shell(command, script.descriptor)) {
        ::execve("/bin/sh", arguments.get(), environment.get());
      }
      const int error = errno;
      [[maybe_unused]] const ssize_t n = ::write(answer, &error, sizeof error);
      ::_exit(127);
    }
    int error = shell_ < 0 ? errno : 0;
    ::close(problem[1]);
    if (shell_ > 0 && ::read(problem[0], &error, sizeof error) > 0) {
      ::waitpid(shell_, nullptr, 0);
    }
    ::close(problem[0]);
    if (error != 0) shell_ = 0;
    return error;
  }

  // In the child: everything that its shell is to have. False, with errno, where that fails.
  bool prepare_shell(const Command& command, int mark_descriptor) const {
    ::setsid();
    setup_.group.join();  // or else there is still /proc
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    restore_default_signals();
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int output = ::fcntl(setup_.output, F_DUPFD_CLOEXEC, kOutOfTheWay);
    if (null < 0 || output < 0) return false;
    if (::dup2(null, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(output, 2) < 0) return false;
    if (mark_descriptor >= 0 && ::dup2(output, mark_descriptor) < 0) return false;
    return ::chdir(command.dir.c_str()) == 0;
  }

  // Waits for every child that has ended. True when none is left.
  bool reap() {
    while (true) {
      int status = 0;
      const pid_t ended = ::waitpid(-1, &status, WNOHANG);
      if (ended < 0 && errno == ECHILD) return true;
      if (ended <= 0) return false;
      if (ended != shell_) continue;
      report_.status = status;
      shell_ = 0;
    }
  }

  // Handles what signals and whittle ask for, waiting for it until the time given, or without a
  // limit. Returns a request to start a command.
  std::optional<SupervisorRequest> take_events(std::optional<Clock::time_point> until) {
    int timeout = -1;
    if (until) {
      const auto left = std::chrono::ceil<milliseconds>(*until - Clock::now());
      timeout = static_cast<int>(std::max<milliseconds::rep>(left.count(), 0));
    }
    std::array<pollfd, 2> waits{
        pollfd{.fd = closed_ ? -1 : setup_.control, .events = POLLIN, .revents = 0},
        pollfd{.fd = signals_, .events = POLLIN, .revents = 0}};
    if (::poll(waits.data(), waits.size(), timeout) <= 0) return std::nullopt;
    if (waits[1].revents != 0) take_signals();
    return waits[0].revents != 0 ? take_request() : std::nullopt;
  }
  std::optional<SupervisorRequest> take_events(milliseconds time) {
    return take_events(Clock::now() + time);
  }

  void take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) == sizeof info) {
      if (info.ssi_signo != SIGCHLD) request_end(static_cast<int>(info.ssi_signo));
    }
  }

  std::optional<SupervisorRequest> take_request() {
    SupervisorRequest request{};
    const ssize_t n = ::recv(setup_.control, &request, sizeof request, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    if (n != sizeof request) {
      closed_ = true;
      request_end(SIGKILL);  // nobody waits for anything any more
    } else if (request.kind == SupervisorRequest::Kind::end) {
      request_end(request.value);
    } else if (!over_ && phase_ == Phase::idle && request.value >= 0 &&
               static_cast<std::size_t>(request.value) < setup_.commands.size()) {
      return request;
    }
    return std::nullopt;
  }

  void request_end(int signal_number) {
    over_ = true;
    if (phase_ == Phase::idle || phase_ == Phase::killing) return;
    // A shell that has ended by itself was not stopped.
    if (reap()) return;
    if (shell_ != 0) report_.stopped = true;
    if (signal_number == SIGKILL) {
      report_.killed = true;
      start_killing();
      return;
    }
    end_by(signal_number);
  }

  // Sends the signal. Whatever it was, and whatever comes after it, SIGKILL follows after the
  // grace.
  void end_by(int signal_number) {
    send_signal(signal_number);
    // Processes in the background ignore SIGINT. Those that are left when their shell has heeded it
    // get SIGTERM.
    terminated_ = terminated_ || signal_number == SIGTERM;
    if (!limit_) limit_ = Clock::now() + setup_.grace;
    phase_ = Phase::ending;
    deadline_ = limit_;
  }

  void enter(Phase phase, milliseconds time) {
    phase_ = phase;
    deadline_ = Clock::now() + time;
    if (phase == Phase::lingering && limit_) deadline_ = std::min(*deadline_, *limit_);
  }

  void pass_deadline() {
    const auto left = descendants();
    switch (phase_) {
      case Phase::lingering:
        if (!report_.stopped) store(list(left), report_.left);
        end_by(SIGTERM);
        break;
      case Phase::ending:
        report_.killed = true;
        start_killing();
        break;
      case Phase::killing:
        store(list(left), report_.survivors);
        over_ = true;
        phase_ = Phase::idle;
        break;
      case Phase::idle:
      case Phase::running:
        break;
    }
  }

  void start_killing() {
    enter(Phase::killing, kKillLimit);
    kill_all();
  }

  void kill_all() {
    setup_.group.kill();
    send_signal(SIGKILL);
  }

  void send_signal(int number) {
    const auto processes = descendants();
    if (!processes) {  // then the shell's group is all that is known
      if (shell_ != 0) ::kill(-shell_, number);
      return;
    }
    std::set<pid_t> groups, paused;
    for (const ProcessEntry& process : *processes) {
      if (!process.is_running()) continue;
      if (process.group == ::getpgrp()) {  // the shell, before it has begun its session
        ::kill(process.id, number);
        continue;
      }
      groups.insert(process.group);
      if (process.state == 'T') paused.insert(process.group);
    }
    for (const pid_t group : groups) ::kill(-group, number);
    // A stopped process handles a signal when it goes on.
    for (const pid_t group : paused) ::kill(-group, SIGCONT);
  }

  const SupervisorSetup setup_;
  const int signals_;
  Phase phase_ = Phase::idle;
  std::optional<Clock::time_point> deadline_;  // of the phase
  std::optional<Clock::time_point> limit_;     // of all phases but killing, once a signal was sent
  bool terminated_ = false;                    // SIGTERM was sent
  bool closed_ = false;                        // whittle is gone
  pid_t shell_ = 0;                            // 0: none, or it has been waited for
  bool over_ = false;                          // no command may start any more
  SupervisorReport report_{};
};

// Closes them all, both included.
void close_descriptors(unsigned first, unsigned last) {
  if (first > last || ::close_range(first, last, 0) == 0) return;
  for (unsigned i = first; i <= std::min(last, 1023U); i++) ::close(static_cast<int>(i));  // < 5.9
}

// Lets go of the descriptors that were inherited: others wait for the end of whittle's output, and
// every other supervisor for the end of its socket.
void let_go_of_all_but(int control, int output) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int standard = 0; standard <= 2; standard++) {
    if (standard != control && standard != output) ::dup2(null, standard);
  }
  unsigned next = 3;
  for (const int descriptor : {std::min(control, output), std::max(control, output)}) {
    const auto number = static_cast<unsigned>(descriptor);
    if (number > next) close_descriptors(next, number - 1);
    next = std::max(next, number + 1);
  }
  close_descriptors(next, ~0U);
}

}  // namespace

void supervise(const SupervisorSetup& setup) {
  restore_default_signals();
  let_go_of_all_but(setup.control, setup.output);
  // Out of reach of what a terminal sends to whittle, who passes it on.
  ::setsid();
  ::prctl(PR_SET_NAME, "whittle-step");
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int number : kEndingSignals) ::sigaddset(&signals, number);
  ::sigaddset(&signals, SIGCHLD);
  const int descriptor = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor < 0) ::_exit(1);
  try {
    Supervision(setup, descriptor).serve();
  } catch (...) {
  }
  // No memory, most likely. The shell ends with this process, and whittle sees that it is gone.
  ::_exit(1);
}

}  // namespace whittle::flow
