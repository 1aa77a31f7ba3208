// SPDX-License-Identifier: MIT
//
// Levels: their names, and the choice among them that Level::automatic makes.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "common/bytes.h"
#include "packer/packer.h"

namespace whittle::packer {

// The name of a header's level (kLevel…), "fast"; "unknown" where there is none.
std::string level_name(std::uint32_t level);

// The raw bytes beyond which an image stream is cut, for several processors: what takes some
// milliseconds to decode, and a good part of all `filled` bytes of the image. Cutting costs size,
// since a stream knows nothing of another.
std::uint64_t most_in_one_stream(std::uint32_t level, std::uint64_t filled);

// A level (kLevel…) and why it was chosen, with figures.
struct Choice {
  std::uint32_t level = 0;
  std::string reason;
};

// What serves `goal` best, by the sizes of the packed forms; a refusal where the plain file does.
std::variant<Choice, Refusal> choose_level(ByteView file, std::uint64_t fast, std::uint64_t small,
                                           Goal goal);

}  // namespace whittle::packer
