// SPDX-License-Identifier: MIT
#include "packer/level.h"

#include <fmt/format.h>

#include <algorithm>

#include "packer/codecs/zstd_encoder.h"
#include "packer/format.h"

namespace whittle::packer {
namespace {

// Raw bytes that keep a processor busy long enough to be worth a stream of their own: by the costs
// that encode.cc reckons with some 30 ms at level small, where they pack to a third, and 12 ms at
// level fast.
constexpr std::uint64_t kWorthAStreamSmall = std::uint64_t{1} << 20;
constexpr std::uint64_t kWorthAStreamFast = std::uint64_t{9} << 20;

// Which form is smaller, and by how many bytes.
Choice smaller(std::uint64_t fast, std::uint64_t small) {
  if (small < fast) {
    return {kLevelSmall, fmt::format("small saves {} bytes over fast", fast - small)};
  }
  return {kLevelFast, fmt::format("small would be {} bytes larger than fast", small - fast)};
}

}  // namespace

std::string level_name(std::uint32_t level) {
  switch (level) {
    case kLevelFast:
      return "fast";
    case kLevelSmall:
      return "small";
  }
  return "unknown";
}

std::optional<Level> level_from_name(std::string_view name) {
  if (name == "fast") return Level::fast;
  if (name == "small") return Level::small;
  if (name == "auto") return Level::automatic;
  return std::nullopt;
}

std::uint64_t most_in_one_stream(std::uint32_t level, std::uint64_t filled) {
  // At level small decoding is nearly all of the start: what is more than two fifths of it is cut,
  // into an even number. At level fast a stub's four workers have a quarter each.
  return level == kLevelSmall ? std::max(kWorthAStreamSmall, filled / 5 * 2)
                              : std::max(kWorthAStreamFast, filled / 4);
}

std::variant<Choice, Refusal> choose_level(ByteView file, std::uint64_t fast, std::uint64_t small,
                                           Goal goal) {
  if (goal == Goal::start) {
    return Choice{kLevelFast, fmt::format("fast unpacks soonest; small would be {} bytes {}",
                                          std::max(fast, small) - std::min(fast, small),
                                          small < fast ? "smaller" : "larger")};
  }
  Choice choice = smaller(fast, small);
  if (goal == Goal::disk) return choice;
  // A packed file does not get smaller in a compressed layer; the plain one does.
  const std::uint64_t packed = std::min(fast, small);
  const std::uint64_t layer = zstd_encode(file).size();
  if (layer <= packed) {
    return Refusal{"not-smaller-to-pull",
                   fmt::format("would be {} bytes to pull; unpacked, a zstd layer takes only {}",
                               packed, layer)};
  }
  choice.reason += fmt::format(", and {} over a zstd layer that holds it unpacked", layer - packed);
  return choice;
}

}  // namespace whittle::packer
