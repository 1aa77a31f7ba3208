// SPDX-License-Identifier: MIT
//
// The encoder half of the codec of level `small` (stub/mix_decoder.h is the other half).
//
// A parser (mix_parser.h) chooses among matches (match_finder.h) what is cheapest by the model of
// the moment (mix_prices.h); a player (mix_player.h) runs the commands through the model, and their
// symbols become bits (rans_encoder.h). Here is what starts that: prices come from commands and
// commands from prices, so the stream's first MiB is parsed twice before anything is written, which
// also tells what contexts suit the bytes. Literals are charged up to half a bit each on top, for
// the time that they take to decode.
//
// Memory: 8 bytes a position of the last 64 MiB, and some twenty megabytes.
#pragma once

#include <atomic>
#include <cstdint>

#include "common/bytes.h"

namespace whittle::packer {

// What the bytes are taken for; the first byte of the packed stream.
enum class MixModel : std::uint8_t {
  bytes = 0,
  x86_code = 1,      // after x86_to_absolute
  aarch64_code = 2,  // after aarch64_to_absolute, starting at a multiple of 4
};
inline constexpr std::uint8_t kMixModels = 3;

// Tables of 2^n and 2^(n+1) places, of 32 bytes each, at the most.
inline constexpr std::uint8_t kMixTableBits = 12;

// Deterministic. `raw` is smaller than 2 GiB. The decoder will have tables of `table_bits`, or
// smaller ones where the stream needs no more. `done`, where given, grows by raw.size() as the work
// proceeds.
Bytes mix_encode(ByteView raw, MixModel model, std::uint8_t table_bits = kMixTableBits,
                 std::atomic<std::uint64_t>* done = nullptr);

}  // namespace whittle::packer
