// SPDX-License-Identifier: MIT
//
// Unwind tables, taken apart into streams and joined again.
//
// C++, Rust and most C programs hold in .eh_frame a record for every function that says how to
// restore its caller's registers (FDE; what several have in common is in a CIE): an array of
// structures of different length, in which numbers that hardly compress (where a function begins,
// how long it is) interrupt instructions that compress well. So each field goes to a stream of its
// own. Functions follow each other: one begins where the one before ends, rounded up to 16 bytes.
// The difference to that is what is stored, nearly always 0. A function's language-specific data
// (LSDA) follows that of the one before, if not as closely.
//
// .eh_frame_hdr, before it, is a table for binary search: where each function begins and where
// its record is, by address. Both are in the records already. As records are mostly in the order of
// their functions, the table comes to one zero an entry.
//
// What the bytes mean does not matter to the join, which only adds and copies; the packer takes a
// table apart only where joining it gives the same bytes. Positions count from the region's first
// byte, because all pointers in these tables are relative.
//
// Measured with zstd: dprint (Rust) 544,103 bytes to 207,000, busybox (C) 29,887 to 17,600.
//
// References: Linux Standard Base Core, "Exception Frames"; DWARF, "Call Frame Information".
#pragma once

#include "packer/stub/transforms/stream_view.h"

namespace whittle::stub {

// How a record is joined: one byte each in the stream kEhKinds.
enum : uint8_t {
  kEhOpaque = 0,     // length field, then all of it from kEhContents: a CIE
  kEhSameCie = 1,    // FDE with the CIE of the FDE before, or the one directly before it
  kEhOtherCie = 2,   // FDE with the CIE named in kEhCies
  kEhWithData = 64,  // added to the two above: there is an LSDA pointer at byte 17
};

// The streams. Numbers are as stub/transforms/source.h says, those marked ± signed.
enum : size_t {
  kEhIndex,     // the region's address modulo 16; where the records begin; how many entries the
                // table before them has; for each ± where its record is, less the next FDE after
                // that of the entry before (0 where there is none); then what comes before the
                // records and not in the table: 12 bytes before it, the rest after it
  kEhKinds,     // a byte a record
  kEhSizes,     // the length field
  kEhCies,      // for kEhOtherCie: position of the CIE
  kEhBegins,    // ± where the function begins, less the end of the one before rounded up
  kEhRanges,    // the function's bytes
  kEhData,      // ± where the LSDA is, less where the one before is
  kEhContents,  // every other byte of the records; then what follows them
  kEhStreams,
};

// Writes `size` bytes to `out`, which is aligned to 4, from the kEhStreams streams. False where
// they do not make exactly so many.
bool join_eh_frame(const StreamView* streams, size_t count, uint8_t* out, size_t size);

}  // namespace whittle::stub
