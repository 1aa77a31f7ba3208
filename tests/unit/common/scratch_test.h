// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "common/error.h"
#include "tests/unit/common/scratch.h"

namespace whittle::test {

// A test in a folder of its own.
class ScratchTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text, int mode = 0644) const {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name, std::ios::binary) << text;
    std::filesystem::permissions(folder / name, static_cast<std::filesystem::perms>(mode));
  }
  std::string read(const std::string& name) const {
    std::ifstream file(folder / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  int mode(const std::string& name) const {
    return static_cast<int>(std::filesystem::status(folder / name).permissions());
  }

 private:
  Scratch scratch_;

 protected:
  std::filesystem::path folder = std::filesystem::canonical(scratch_.path());
};

// The error that `action` throws; a test failure where it throws none.
template <typename Action>
Error error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorKind::internal, "", "none");
}

}  // namespace whittle::test
