// SPDX-License-Identifier: MIT
//
// What a supervisor does, and what it and whittle say to each other over a socket of packets.
// (flow/process.h says what it is for.)
#pragma once

#include <array>
#include <chrono>
#include <vector>

#include "flow/control_group.h"
#include "flow/process.h"
#include "flow/script.h"

namespace whittle::flow {

// From whittle.
struct SupervisorRequest {
  enum class Kind { start, end } kind;
  int value;  // which command; which signal
};

// The answer to `start`, when no process of the command is left.
struct SupervisorReport {
  int start_error;  // errno where the command could not be started, else 0
  int status;       // of the shell, as waitpid has it
  bool stopped, killed;
  std::array<char, 240> left, survivors;  // names, or empty
};

struct SupervisorSetup {
  const std::vector<Command>& commands;
  const ScriptMarks& marks;
  const ControlGroup& group;
  int control, output;  // the socket, and the pipe's end to write to
  std::chrono::milliseconds grace;
};

// Serves requests until there will be none. Called in the forked process, with all signals blocked.
[[noreturn]] void supervise(const SupervisorSetup& setup);

}  // namespace whittle::flow
