// SPDX-License-Identifier: MIT
//
// Runs a function that may crash, hang or eat memory in a child process with limits, and brings
// its answer back as bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/bytes.h"

namespace whittle::analyzer {

struct ChildLimits {
  std::uint64_t address_space = std::uint64_t{2} << 30;  // bytes
  std::uint64_t cpu_seconds = 10;
  std::chrono::milliseconds wall_clock{20000};
  std::uint64_t answer = std::uint64_t{4} << 20;  // bytes
};

struct ChildAnswer {
  std::optional<Bytes> bytes;  // what `work` returned, whole
  std::string problem;         // otherwise: why there is no answer ("died of signal 11 …")
};

// Calls `work` in a forked child and returns its answer, or the reason there is none: `work` threw,
// the child died, a limit was reached, the system had no process or pipe to give. The answer comes
// from a process that a hostile file may control: check it like any other input. Never hangs
// longer than `limits.wall_clock` and leaves no process behind. Thread-safe.
ChildAnswer run_limited(const std::function<Bytes()>& work, const ChildLimits& limits = {});

}  // namespace whittle::analyzer
