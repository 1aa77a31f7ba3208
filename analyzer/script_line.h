// SPDX-License-Identifier: MIT
//
// The first line of a script, "#!/usr/bin/env -S python3 -u", as the kernel and `env` read it.
// Sources: execve(2), Linux fs/binfmt_script.c; GNU coreutils, env invocation.
#pragma once

#include <optional>
#include <string>

#include "common/bytes.h"

namespace whittle::analyzer {

inline constexpr std::size_t kScriptLine = 256;  // bytes of a script that the kernel looks at

struct ScriptLine {
  std::string interpreter;  // empty where the line names none
  std::string argument;     // all that follows, in one
};

// Nothing where the file does not begin with "#!". `start` holds its first 256 bytes or all of it.
std::optional<ScriptLine> parse_script_line(ByteView start);

// The program that `env` starts for such a script: "python3". Empty where the interpreter is not
// `env`; nothing where it is, but its options are not understood here.
std::optional<std::string> program_of_env(const ScriptLine& line);

}  // namespace whittle::analyzer
