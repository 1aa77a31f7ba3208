// SPDX-License-Identifier: MIT
//
// Language-specific exception tables (.gcc_except_table), taken apart into streams and joined
// again.
//
// For every function with something to clean up or to catch there is a table (LSDA): for each range
// of its code, where to go on when something is thrown there. An entry is four ULEB128 numbers:
// begin, length, landing pad (0: none), action. Begin and landing pad count from the function's
// start; less the end of the range before, and less the landing pad before, they are small numbers
// that repeat. Each field goes to a stream of its own.
//
// What stands between tables, types and actions, is copied. The join copies and adds and knows no
// more than that a table looks so; the packer takes apart what joins to the same bytes.
//
// Measured with zstd: dprint (Rust) 341,528 bytes to 213,800.
//
// Reference: Itanium C++ ABI, "Exception Handling Tables"; LSB, "Exception Frames".
#pragma once

#include "packer/stub/transforms/stream_view.h"

namespace whittle::stub {

// The streams. Numbers are as stub/transforms/source.h says, those marked ± signed.
enum : size_t {
  kLsdaHeads,    // a table: bytes of kLsdaRest before it; type encoding, 1 byte; unless that is
                 // ff, distance to the types; bytes of its entries
  kLsdaBegins,   // an entry: ± begin, less the end of the one before in this table
  kLsdaLengths,  // length
  kLsdaPads,     // 0 where there is none, or 1 + the zigzag form of: landing pad less the last one
                 // in this table
  kLsdaActions,  // action
  kLsdaRest,     // what is in no table
  kLsdaStreams,
};

// Writes `size` bytes to `out` from the kLsdaStreams streams. False where they do not make exactly
// so many.
bool join_exception_tables(const StreamView* streams, size_t count, uint8_t* out, size_t size);

}  // namespace whittle::stub
