// SPDX-License-Identifier: MIT
#include "flow/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "common/digest.h"
#include "common/error.h"
#include "common/log_text.h"
#include "flow/line_reader.h"
#include "flow/supervise.h"

namespace whittle::flow {
namespace {

std::string make_nonce() {
  std::array<std::uint8_t, 8> random{};
  if (::getrandom(random.data(), random.size(), 0) < 0) {
    throw io_error("", "cannot get random bytes", errno);
  }
  return to_hex(random);
}

// Takes what the pipe holds now. False at its end.
bool drain(int descriptor, LineReader& reader) {
  std::array<char, 1 << 14> buffer;
  // Bounded, so that a command that never pauses cannot keep whittle from its supervisor; and more
  // than a pipe holds, so that nothing is left in it when the command is over.
  for (int i = 0; i < 128; i++) {
    const ssize_t n = ::read(descriptor, buffer.data(), buffer.size());
    if (n == 0) return false;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    reader.take({buffer.data(), static_cast<std::size_t>(n)});
  }
  return true;
}

bool send_request(int control, SupervisorRequest::Kind kind, int value) {
  const SupervisorRequest request{.kind = kind, .value = value};
  return ::send(control, &request, sizeof request, MSG_NOSIGNAL) == sizeof request;
}

}  // namespace

Supervisor::Supervisor(const std::vector<Command>& commands, std::chrono::milliseconds grace)
    : commands_(commands), marks_(make_nonce()), group_(make_nonce()) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw io_error("", "cannot create a socket", errno);
  }
  control_.reset(ends[0]);
  const FileDescriptor its_control(ends[1]);
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw io_error("", "cannot create a pipe", errno);
  output_.reset(ends[0]);
  const FileDescriptor its_output(ends[1]);
  ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);

  // No signal may reach one of whittle's handlers in the child.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  id_ = ::fork();
  const int fork_error = errno;
  if (id_ == 0) {
    supervise({.commands = commands_,
               .marks = marks_,
               .group = group_,
               .control = its_control.get(),
               .output = its_output.get(),
               .grace = grace});
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (id_ < 0) throw io_error("", "cannot start a process to run commands in", fork_error);
}

Supervisor::~Supervisor() {
  control_.reset();  // which ends it
  wait();
}

ProcessResult Supervisor::run(std::size_t index, const CommandOutput& output) {
  ProcessResult result;
  const Command& command = commands_.at(index);
  const auto stopped_or_lost = [&] {
    if (!ended_) {
      throw Error(ErrorKind::io, "",
                  "the process that watches over the command was killed; see whether processes of "
                  "the command are left");
    }
    result.stopped = true;
    return result;
  };
  if (!send_request(control_.get(), SupervisorRequest::Kind::start, static_cast<int>(index))) {
    return stopped_or_lost();
  }

  const auto lines = split_lines(command.script);
  const auto on_mark = [&](LineRange range) {
    if (range.first == 0 || range.last > lines.size()) return;
    result.last_lines = range;
    for (std::size_t i = range.first; i <= range.last; i++) output.on_command(lines[i - 1]);
  };
  LineReader reader(marks_, output.on_line, on_mark);
  SupervisorReport report{};
  bool open = true;
  ssize_t received = -1;
  while (received < 0) {
    std::array<pollfd, 2> waits{
        pollfd{.fd = control_.get(), .events = POLLIN, .revents = 0},
        pollfd{.fd = open ? output_.get() : -1, .events = POLLIN, .revents = 0}};
    if (::poll(waits.data(), waits.size(), -1) < 0) continue;
    if (waits[0].revents != 0) {
      received = ::recv(control_.get(), &report, sizeof report, MSG_DONTWAIT);
      if (received < 0 && errno != EAGAIN && errno != EINTR) received = 0;
    }
    if (open) open = drain(output_.get(), reader);
  }
  reader.finish();
  if (received != sizeof report) return stopped_or_lost();
  if (report.start_error != 0) {
    throw io_error(command.dir, "cannot start /bin/sh in this folder", report.start_error);
  }

  if (report.stopped && !ended_) {
    throw Error(ErrorKind::failed, "",
                "the command was ended by a signal to the process that watches over it");
  }
  if (WIFSIGNALED(report.status)) result.signal = WTERMSIG(report.status);
  if (WIFEXITED(report.status)) result.exit_status = WEXITSTATUS(report.status);
  result.stopped = report.stopped;
  result.killed = report.killed;
  result.left = report.left.data();
  result.survivors = report.survivors.data();
  result.tail = reader.tail();
  return result;
}

void Supervisor::end(int signal_number) {
  ended_ = true;
  send_request(control_.get(), SupervisorRequest::Kind::end, signal_number);
}

void Supervisor::wait() {
  const std::lock_guard lock(wait_mutex_);
  while (!waited_) {
    waited_ = ::waitpid(id_, nullptr, 0) == id_ || errno != EINTR;
  }
}

}  // namespace whittle::flow
