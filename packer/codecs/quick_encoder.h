// SPDX-License-Identifier: MIT
//
// The encoder half of codec quick (stub/codecs/quick_decoder.h is the other half).
//
// Sequences come from prices (quick_parser.h), and prices from what sequences there are: a stream
// is parsed a few times, each time by the prices of the blocks that the last parse fell into. A
// block is as many stretches of the parser's as are cheaper with one distribution than with two.
//
// Memory: 8 bytes a position of the last 64 MiB, 12 a sequence, 5 KiB a block, and a few megabytes.
#pragma once

#include "common/bytes.h"

namespace whittle::packer {

// Deterministic. `raw` is smaller than 2 GiB.
Bytes quick_encode(ByteView raw);

}  // namespace whittle::packer
