// SPDX-License-Identifier: MIT
//
// The encoder half of the first codec of level `small` (stub/codecs/mix_decoder.h is the other
// half).
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
#include "packer/stub/codecs/mix_context.h"

namespace whittle::packer {

// Deterministic. `raw` is smaller than 2 GiB and of that kind. The decoder will have tables of
// `table_bits`, or smaller ones where the stream needs no more. `done`, where given, grows by
// raw.size() as the work proceeds.
Bytes mix_encode(ByteView raw, stub::ModelKind kind, std::uint8_t table_bits = stub::kMaxTableBits,
                 std::atomic<std::uint64_t>* done = nullptr);

}  // namespace whittle::packer
