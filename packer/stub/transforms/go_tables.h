// SPDX-License-Identifier: MIT
//
// Go's function table (pclntab), joined again from streams.
//
// The table is a third of a Go program, and most of what it says it says several times over: an
// inlined call changes line, file and place in the inlining tree at the same instruction, in three
// tables, and the tree tells again where that was; the lengths of all tables of a function are the
// function's, which is also the distance to the next one; what stands at an offset was put there
// when the offset was first used. So the streams hold what cannot be foreseen. Functions are joined
// one by one: the positions of a function are followed as a debugger would, from call to inlined
// call, and all its tables are written on the way; references go to tables of the same length by
// the rank of their last use.
//
// Every guess is made from what was joined before, by the code in go_model.h that the splitting
// side runs too. Nothing is allocated: the caller brings memory, whose size the streams tell and
// the table bounds.
//
// Columns for each field and streams of deltas, without any of the guesses, come to 1.5 times the
// size.
//
// GO_TABLES.md describes the streams. Reference: runtime/symtab.go and cmd/link/internal/ld/pcln.go
// of Go.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/stub/transforms/stream_view.h"

namespace whittle::stub {

// The streams of one table, in this order.
enum GoStream : uint32_t {
  kParameters,       // GoParameter: 32-bit words
  kPlain,            // bytes that are not modelled, in the order of the region
  kNamePrefixes,     // for each name the bytes it shares with the one before
  kNameSuffixes,     // the others, zero terminated
  kLowBytes,         // of numbers of two bytes
  kWide,             // varints: larger numbers, and exceptions
  kShapes,           // for each function npcdata, nfuncdata, flag, ID
  kArguments,        // for each function the number of its bytes of arguments
  kStartLines,       // for each function, against the last line of the one before
  kFunctionMisc,     // for each function name, deferreturn, compilation unit, distance to the next
  kTableReferences,  // which pc table: none, new, explicit, rank among those of the same length
  kDataReferences,   // which funcdata: none, new, explicit, rank among those of the same arguments
  kDataOffsets,      // where new funcdata stands
  kTreeSizes,        // nodes of a new inlining tree
  kNodeNames,        // for each node: new, explicit, rank among those that followed its predecessor
  kNodeMisc,         // for each node: its ID, and whether its start line is not the expected one
  kNodeStartLines,   // those start lines
  kNodeParents,      // parentPc as a distance in steps
  kStepKinds,        // for each step of positions what changes
  kStepPcs,          // its length
  kLinesSame,        // line deltas in the same node of the inlining tree,
  kLinesBack,        // where a node is come back to,
  kLinesEntry,       // and where it is entered
  kSpValues,         // pcsp: deltas,
  kSpPcs,            // lengths
  kUnsafeValues,     // pcdata 0
  kUnsafePcs,
  kStackMapValues,  // pcdata 1
  kStackMapPcs,
  kOtherValues,  // the others
  kOtherPcs,
  kGoStreamCount,
};

// Offsets count from the begin of the region.
enum GoParameter : uint32_t {
  kTableOffset,     // of the table's header
  kFunctionsEnd,    // where the last function ends
  kGoFuncOffset,    // of go:func.*, kNowhere: it is elsewhere
  kFindFuncOffset,  // of findfunctab, kNowhere: it is elsewhere
  kFunctionAlign,   // of entries, a power of two
  kDepthUnit,       // what all differences in pcsp are multiples of
  kMemoryNodes,     // room that the join needs: entries of its memory,
  kMostSlots,       // the most steps of a function, or nodes of its inlining tree + 1
  kGoParameterCount,
};

inline constexpr uint32_t kNowhere = 0xffffffff;

// Bytes that join_go_table needs to work in, aligned to 8; 0 where the streams are damaged.
size_t go_table_scratch(const StreamView* streams, size_t count, size_t size);

// Writes region[0, size), which is aligned to 4: a table, and what belongs to it before or after
// it. False where the streams are damaged; then the region holds anything. Reads and writes nowhere
// else, whatever the streams hold.
bool join_go_table(const StreamView* streams, size_t count, uint8_t* region, size_t size,
                   uint8_t* scratch, size_t scratch_size);

}  // namespace whittle::stub
