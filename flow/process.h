// SPDX-License-Identifier: MIT
//
// Commands of the host, run by /bin/sh, with nothing left behind. A command's standard input is
// /dev/null; standard output and standard error come back through one pipe, line by line, and the
// last of it is kept for the report of a failure. Memory is bounded whatever the command prints.
//
// Every process that a command starts must end with it, also one that went into a session of its
// own. The only way to keep hold of such a process is to be the one that it falls to when its
// parent ends, and to know which command it belongs to although others run at the same time. So
// there is a supervisor for each command that runs: a process of its own, forked while whittle is
// still small and has one thread, that is the parent of the command and of all its orphans. When
// it has no child left, no process of the command is. When whittle itself is killed, the
// supervisor finds its socket closed and kills what runs. flow/supervise.cc is what it does.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/file_descriptor.h"
#include "flow/control_group.h"
#include "flow/script.h"

namespace whittle::flow {

struct Command {
  std::string script;  // see flow/script.h
  std::string dir;
  // Set on top of this process's environment.
  std::vector<std::pair<std::string, std::string>> env;
};

// What a command tells while it runs.
struct CommandOutput {
  std::function<void(std::string_view)> on_command;  // a line of the script, before it runs
  std::function<void(std::string_view)> on_line;     // a line of output
};

struct ProcessResult {
  int exit_status = 0;            // of the shell; meaningless when `signal` is set
  int signal = 0;                 // that ended the shell, or 0
  bool stopped = false;           // ended, or not even begun, because `end` was called
  bool killed = false;            // something had to be killed, as it did not end when told to
  LineRange last_lines;           // of the script, that ran last
  std::string left;               // processes that the shell left running, and that were ended
  std::string survivors;          // processes that could not be ended
  std::vector<std::string> tail;  // the last lines of output, see flow/line_reader.h

  bool ok() const { return exit_status == 0 && signal == 0 && !stopped; }
};

// From the request that a process ends to SIGKILL. Longer than most take to clean up; shorter than
// the ten seconds that `docker stop` gives to whittle.
inline constexpr std::chrono::seconds kGrace{7};

class Supervisor {
 public:
  // Forks. `commands` are those that may be run, and stay unchanged. `grace` is the time between
  // the request that processes end and SIGKILL. Throws Error{io} where the system has no process to
  // give.
  explicit Supervisor(const std::vector<Command>& commands,
                      std::chrono::milliseconds grace = kGrace);
  ~Supervisor();  // kills what runs
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Runs commands[index] to its end; one at a time. What the shell leaves running is given a moment
  // to end, then SIGTERM, then, after the grace, SIGKILL. Throws Error{io} where the command cannot
  // be started, or where the supervisor itself was killed, and Error{failed} where a signal from
  // outside made it end the command.
  ProcessResult run(std::size_t index, const CommandOutput& output);

  // Passes a signal on to the processes of the command that runs, and SIGKILL, after the grace, to
  // those that are left. From then on no command starts. From any thread; again to pass on another
  // signal.
  void end(int signal_number);

  // After `end`: waits until no process is left.
  void wait();

 private:
  const std::vector<Command>& commands_;
  ScriptMarks marks_;
  ControlGroup group_;
  pid_t id_ = -1;
  FileDescriptor control_, output_;
  std::atomic<bool> ended_ = false;
  std::mutex wait_mutex_;
  bool waited_ = false;
};

}  // namespace whittle::flow
