// SPDX-License-Identifier: MIT
//
// The processes below this one, as /proc shows them.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace whittle::flow {

struct ProcessEntry {
  pid_t id = 0, parent = 0, group = 0;
  char state = 0;    // 'R', 'S', …; 'Z': ended, and not waited for yet; 'T': stopped
  std::string name;  // of the executable, at most 15 bytes

  bool is_running() const { return state != 'Z' && state != 'X'; }
};

// One entry of /proc/PID/stat; nothing where the text is none. The name may hold any character.
std::optional<ProcessEntry> parse_stat(const std::string& text);

// Every descendant of this process, in the order of their ids. Nothing where there is no /proc, or
// where it belongs to another namespace of process ids.
std::optional<std::vector<ProcessEntry>> descendants();

}  // namespace whittle::flow
