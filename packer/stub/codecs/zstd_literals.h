// SPDX-License-Identifier: MIT
//
// The literals section (3.1.1.3.1): a compressed block's bytes that no match provides.
//
// It is stored as such, as one byte to repeat, or coded by a Huffman tree: one of its own or that
// of the block before.
#pragma once

#include "packer/stub/codecs/zstd_bits.h"
#include "packer/stub/codecs/zstd_decoder.h"

namespace whittle::stub {

// Takes the literals section off the block. `literals` gets the literals, in the workspace or, if
// they are stored as such, in the source, which ends at `src_end`. The kSlack bytes after them may
// be read.
ZstdStatus read_literals(Input& in, const uint8_t* src_end, ZstdWorkspace& ws, Input* literals);

}  // namespace whittle::stub
