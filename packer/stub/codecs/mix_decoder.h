// SPDX-License-Identifier: MIT
//
// The decoder of the first codec of level `small`: an LZ77 codec whose symbols are coded by rANS
// with mixtures of context models (mix_model.h, packer/MIX_FORMAT.md). Freestanding; needs no
// memory but its workspace.
//
// Every access is checked: hostile input is reported or decodes to wrong bytes inside `raw`, which
// the file's digest tells. Each step of the loop either produces a byte or ends, so it ends.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/stub/codecs/mix_model.h"

namespace whittle::stub {

enum class MixStatus : int {
  ok = 0,
  // Unknown header, a copy from before the start or past the end, bytes missing or left over, or a
  // coder that does not end in the state where the encoder began.
  damaged = 1,
};

// Decodes the stream packed[0, packed_size) into raw[0, raw_size), exactly. The workspace may hold
// anything. A stream of no raw bytes is its header alone. At most 4 GiB - 1 raw bytes.
MixStatus mix_decode(const uint8_t* packed, size_t packed_size, uint8_t* raw, size_t raw_size,
                     MixWorkspace& workspace);

}  // namespace whittle::stub
