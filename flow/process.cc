// SPDX-License-Identifier: MIT
#include "flow/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>

#include "common/error.h"
#include "flow/substitute.h"

namespace whittle::flow {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kGrace = std::chrono::seconds(2);  // between SIGTERM and SIGKILL
constexpr int kTick = 20;                         // milliseconds between looks at the child

// Process groups that are alive, for the signal handler. Zero: free. More commands than slots at
// once are possible and merely survive an interrupt.
constexpr std::size_t kSlots = 256;
std::array<std::atomic<pid_t>, kSlots> live_groups;

class LiveGroup {
 public:
  explicit LiveGroup(pid_t group) {
    for (slot_ = 0; slot_ < kSlots; slot_++) {
      pid_t free = 0;
      if (live_groups[slot_].compare_exchange_strong(free, group)) return;
    }
  }
  ~LiveGroup() {
    if (slot_ < kSlots) live_groups[slot_].store(0);
  }
  LiveGroup(const LiveGroup&) = delete;
  LiveGroup& operator=(const LiveGroup&) = delete;

 private:
  std::size_t slot_ = 0;
};

constexpr std::array kEndingSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
std::array<struct sigaction, kEndingSignals.size()> former_actions;

void end_groups_and_go_on(int signal_number) {
  for (const auto& group : live_groups) {
    if (const pid_t id = group.load(); id != 0) ::kill(-id, SIGTERM);
  }
  for (std::size_t i = 0; i < kEndingSignals.size(); i++) {
    if (kEndingSignals[i] != signal_number) continue;
    if (former_actions[i].sa_handler == SIG_DFL) {
      ::signal(signal_number, SIG_DFL);
      ::raise(signal_number);
    } else {
      former_actions[i].sa_handler(signal_number);
    }
  }
}

class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) throw io_error("", "cannot create a pipe", errno);
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  ~Pipe() {
    ::close(ends_[0]);
    close_write_end();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close_write_end() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

// Cuts a stream of bytes into lines.
class LineReader {
 public:
  explicit LineReader(const std::function<void(std::string_view)>& on_line) : on_line_(on_line) {}

  // Takes what the pipe holds now. False at its end.
  bool drain(int descriptor) {
    std::array<char, 1 << 14> buffer;
    // Bounded, so that a command that never pauses cannot keep its reader from a stop request.
    for (int i = 0; i < 64; i++) {
      const ssize_t n = ::read(descriptor, buffer.data(), buffer.size());
      if (n == 0) return false;
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno == EAGAIN;
      for (ssize_t k = 0; k < n; k++) take(buffer[static_cast<std::size_t>(k)]);
    }
    return true;
  }

  void finish() {
    if (!line_.empty()) emit();
  }
  std::vector<std::string> tail() const { return {tail_.begin(), tail_.end()}; }

 private:
  void take(char c) {
    if (c == '\n') return emit();
    line_ += c;
    if (line_.size() >= kMaxLine) emit();
  }
  void emit() {
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    on_line_(line_);
    tail_.push_back(std::move(line_));
    if (tail_.size() > kTailLines) tail_.pop_front();
    line_.clear();
  }

  const std::function<void(std::string_view)>& on_line_;
  std::string line_;
  std::deque<std::string> tail_;
};

std::vector<std::string> child_environment(const Command& command) {
  Environment variables = process_environment();
  for (const auto& [name, value] : command.env) variables[name] = value;
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  return environment;
}

// posix_spawn instead of fork: the group is set before the child runs, and nothing between fork and
// exec can meet a lock that another thread held.
pid_t spawn(const Command& command, int output) {
  std::string shell = "/bin/sh", flag = "-c", text = command.shell_command;
  std::array<char*, 4> arguments = {shell.data(), flag.data(), text.data(), nullptr};
  std::vector<std::string> environment = child_environment(command);
  std::vector<char*> pointers;
  for (std::string& entry : environment) pointers.push_back(entry.data());
  pointers.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, 1);
  ::posix_spawn_file_actions_adddup2(&actions, output, 2);
  ::posix_spawn_file_actions_addchdir_np(&actions, command.dir.c_str());
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t child = -1;
  const int error = ::posix_spawn(&child, shell.c_str(), &actions, &attributes, arguments.data(),
                                  pointers.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    throw io_error(command.dir.native(), "cannot start /bin/sh in this folder", error);
  }
  return child;
}

// Whether the child has ended. It stays a zombie, so that its id, which names the group, cannot be
// given to another process yet.
bool has_ended(pid_t child) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == child;
}

}  // namespace

ProcessResult run_process(const Command& command, std::stop_token stop,
                          const std::function<void(std::string_view)>& on_line) {
  ProcessResult result;
  Pipe pipe;
  const pid_t child = spawn(command, pipe.write_end());
  const LiveGroup live(child);
  pipe.close_write_end();

  LineReader reader(on_line);
  bool open = true;
  Clock::time_point kill_at;
  while (!has_ended(child)) {
    if (stop.stop_requested() && !result.stopped) {
      result.stopped = true;
      kill_at = Clock::now() + kGrace;
      ::kill(-child, SIGTERM);
    }
    if (result.stopped && Clock::now() >= kill_at) ::kill(-child, SIGKILL);
    // At the end of the output poll would return at once for ever: then only time passes.
    pollfd wait{.fd = open ? pipe.read_end() : -1, .events = POLLIN, .revents = 0};
    ::poll(&wait, 1, kTick);
    if (open) open = reader.drain(pipe.read_end());
  }
  ::kill(-child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (open) reader.drain(pipe.read_end());
  reader.finish();

  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  if (WIFEXITED(status)) result.exit_status = WEXITSTATUS(status);
  result.tail = reader.tail();
  return result;
}

void end_processes_on_signals() {
  for (std::size_t i = 0; i < kEndingSignals.size(); i++) {
    if (::sigaction(kEndingSignals[i], nullptr, &former_actions[i]) != 0 ||
        former_actions[i].sa_handler == SIG_IGN) {
      continue;  // a signal that the parent chose to ignore (nohup) stays ignored
    }
    struct sigaction action {};
    action.sa_handler = end_groups_and_go_on;
    ::sigaction(kEndingSignals[i], &action, nullptr);
  }
}

}  // namespace whittle::flow
