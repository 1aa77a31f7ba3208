// SPDX-License-Identifier: MIT
//
// Which steps surely come after which others: those that depend on them, directly or through other
// steps. Whatever else is parallel, and which of two comes first there is chance.
#pragma once

#include <bitset>
#include <cstddef>
#include <vector>

#include "config/build_file.h"

namespace whittle::config {

constexpr std::size_t kMaxSteps = 1000;  // of a build file

class StepOrder {
 public:
  // At most kMaxSteps steps. A cycle makes its steps come after each other, and after themselves.
  explicit StepOrder(const std::vector<Step>& steps);

  // Whether step `a` comes after step `b`; both are indices of `steps`.
  bool is_after(std::size_t a, std::size_t b) const { return before_[a][b]; }

 private:
  std::vector<std::bitset<kMaxSteps>> before_;  // of each step: those that come before it
};

}  // namespace whittle::config
