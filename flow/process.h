// SPDX-License-Identifier: MIT
//
// A command of the host, run by /bin/sh in a process group of its own, so that it can be ended
// together with everything it started. Its standard input is /dev/null; standard output and
// standard error come back through one pipe, line by line, and the last of it is kept for the
// report of a failure. Memory is bounded whatever the command prints.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace whittle::flow {

struct Command {
  std::string shell_command;
  std::filesystem::path dir;
  // Set on top of this process's environment.
  std::vector<std::pair<std::string, std::string>> env;
};

struct ProcessResult {
  int exit_status = 0;            // of the shell; meaningless when `signal` is set
  int signal = 0;                 // that ended the shell, or 0
  bool stopped = false;           // ended because the stop token asked for it
  std::vector<std::string> tail;  // the last lines of output, see kTailLines

  bool ok() const { return exit_status == 0 && signal == 0 && !stopped; }
};

inline constexpr std::size_t kTailLines = 20;
inline constexpr std::size_t kMaxLine = 4096;  // bytes; a longer line comes in pieces

// Runs the command to its end and calls `on_line` for every line of output. When `stop` is
// requested the process group gets SIGTERM, and SIGKILL two seconds later. What the command left
// running in its group when its shell ended is killed as well: a step that is over has no
// processes. Throws Error{io} where the command cannot be started.
ProcessResult run_process(const Command& command, std::stop_token stop,
                          const std::function<void(std::string_view)>& on_line);

// Makes SIGINT, SIGTERM and SIGHUP reach the process groups of running commands before they do
// whatever they did until now. Called once, by the command, after other handlers are installed.
void end_processes_on_signals();

}  // namespace whittle::flow
