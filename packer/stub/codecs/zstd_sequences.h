// SPDX-License-Identifier: MIT
//
// The sequences section (3.1.1.3.2): what of a compressed block's output is literals and what is
// matches, as triples of (literal length, match length, offset).
#pragma once

#include "packer/stub/codecs/zstd_bits.h"
#include "packer/stub/codecs/zstd_decoder.h"
#include "packer/stub/codecs/zstd_execute.h"

namespace whittle::stub {

// Decodes the sequences section `in`, all that is left of its block, and executes it: appends the
// block's bytes to `out`, those literals that no sequence uses at the end. kSlack bytes after the
// literals must be readable.
ZstdStatus decode_sequences(Input in, Input literals, Output& out, ZstdWorkspace& ws);

}  // namespace whittle::stub
