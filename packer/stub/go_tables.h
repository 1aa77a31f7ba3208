// SPDX-License-Identifier: MIT
//
// Go's function table (pclntab), joined again from streams; GO_TABLES.md describes them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/stub/stream_view.h"

namespace whittle::stub {

// The streams of one table, in this order.
enum GoStream : uint32_t {
  kParameters,       // GoParameter: 32-bit words
  kPlain,            // bytes that are not modelled, in the order of the table
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
  kNodeNameOffsets,  // explicit ones, 3 bytes each
  kNodeMisc,         // for each node: 1 start line is not that of the name's last use, 2 ID not 0
  kNodeStartLines,   // those start lines
  kNodeParents,      // parentPc as a distance in steps
  kStepKinds,        // for each step of positions what changes
  kStepPcs,          // its length
  kLinesSame,        // line deltas in the same node of the inlining tree,
  kLinesBack,        // where a node is come back to,
  kLinesEntry,       // and where it is entered
  kSpValues,         // pcsp: 0 ends, 1 + rank among the last values,
  kSpFrames,         // new ones
  kSpPcs,
  kUnsafeValues,  // pcdata 0
  kUnsafePcs,
  kStackMapValues,  // pcdata 1
  kStackMapPcs,
  kOtherValues,  // other pcdata
  kOtherPcs,
  kGoStreamCount,
};

enum GoParameter : uint32_t {
  kFunctionsEnd,    // where the last function ends in the table
  kGoFuncOffset,    // of go:func.* in the table, 0: it is elsewhere
  kFindFuncOffset,  // of findfunctab, 0: it is elsewhere
  kFunctionAlign,   // of entries, a power of two
  kMemoryNodes,     // room that the join needs: entries of its memory,
  kLargestTable,    // bytes of its largest joined pc table,
  kMostSteps,       // steps,
  kMostSlots,       // nodes of an inlining tree + 1
  kCodeOffset,      // byte of the code at which entry 0 stands, kNoCode: lengths are in bytes
  kGoParameterCount,
};

inline constexpr uint32_t kNoCode = 0xffffffff;

// Where the program's instructions begin: bit i % 8 of data[i / 8] for byte i of its code. Empty:
// it is not known.
struct InstructionStarts {
  const uint8_t* data = nullptr;
  size_t size = 0;  // bytes
};

// Bytes that join_go_table needs to work in, aligned to 8; 0 where the streams are damaged.
size_t go_table_scratch(const StreamView* streams, size_t count, size_t size);

// Writes table[0, size). `starts` must be those that the table was split with. False where the
// streams are damaged; then table holds anything. Reads and writes nowhere else, whatever the
// streams hold.
bool join_go_table(const StreamView* streams, size_t count, uint8_t* table, size_t size,
                   uint8_t* scratch, size_t scratch_size, const InstructionStarts& starts = {});

}  // namespace whittle::stub
