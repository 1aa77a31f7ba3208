// SPDX-License-Identifier: MIT
//
// The programs that this folder's CMakeLists.txt compiles, and running them.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "common/file.h"

namespace whittle::test {

inline std::filesystem::path program_path(const std::string& name) {
  return std::filesystem::path(WHITTLE_TEST_PROGRAMS) / name;
}

inline Bytes load_program(const std::string& name) { return read_file(program_path(name)).bytes; }

struct RunResult {
  std::string output;  // standard output and standard error
  int exit_code = -1;
};

inline RunResult run(const std::string& command) {
  RunResult result;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return result;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    result.output.append(buffer, n);
  }
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace whittle::test

// Skips the test where the program could not be compiled.
#define WHITTLE_NEEDS_PROGRAM(name)                                                \
  if (!std::filesystem::exists(whittle::test::program_path(name)))                 \
  GTEST_SKIP() << "the test program " << name                                      \
               << " was not built: its compiler was missing when cmake ran (gcc, " \
                  "musl-tools, golang-go or rustc)"
