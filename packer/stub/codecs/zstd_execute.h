// SPDX-License-Identifier: MIT
//
// Executing sequences (3.1.1.4): "copy `literals` bytes, then a match from what was written
// before".
#pragma once

#include "packer/stub/codecs/zstd_bits.h"
#include "packer/stub/codecs/zstd_decoder.h"

namespace whittle::stub {

// Where output goes, and what blocks hand on to each other besides tables. `begin` is also where
// the window begins.
struct Output {
  uint8_t* begin;
  uint8_t* at;
  uint8_t* end;
  uint32_t repeat[3];  // the last three offsets, newest first

  size_t room() const { return static_cast<size_t>(end - at); }
};

// Executes a batch of sequences, with offsets as coded, whose literals are at the front of
// `literals` and are taken off it. kSlack bytes after the literals must be readable. The sequences
// are overwritten.
ZstdStatus execute_sequences(ZstdSequence* sequences, size_t count, Input& literals, Output& out);

}  // namespace whittle::stub
