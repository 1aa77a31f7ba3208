// SPDX-License-Identifier: MIT
//
// The words in which a caller chooses how to pack, and hears why not.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace whittle::packer {

// Called with bytes done and bytes in all, from the thread that called `pack`.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// How hard to try. `automatic` packs at every level and keeps what serves `Goal` best.
enum class Level {
  fast,   // zstd: unpacks at several hundred MB/s
  small,  // a mixing model: 5 to 11 % smaller, several times slower to unpack
  automatic,
};

// "fast", "small", "auto"; nothing for any other name.
std::optional<Level> level_from_name(std::string_view name);

// What counts for Level::automatic.
enum class Goal {
  disk,   // bytes of the file
  pull,   // bytes in a layer that is compressed with zstd, where the plain file counts, too
  start,  // time until the program runs
};

// Why a well-formed file is not packed. `code` is stable ("dynamic", "already-packed").
struct Refusal {
  std::string code;
  std::string reason;
};

}  // namespace whittle::packer
