// SPDX-License-Identifier: MIT
//
// The inverse runs at every start of a packed program. A walk as it is defined is slow for two
// reasons. What an instruction is depends on its bytes, so branches are mispredicted; and the next
// one's begin is known only once this one is decoded, so the processor waits instead of doing
// several things at once. Three measures against that:
//
// Steps from a table. A byte that asks for something (x86_fields.h) and the state, which is its
// field and how much was asked for before, give the distance to the next such byte, the state
// there, and whether there is an operand to change: with additions and masks, and no branch.
//
// Several lanes. Pieces do not depend on one another, so four are walked in turn; the loads of one
// overlap the waiting of the others.
//
// Operands later. A lane only notes where there is an operand, with stores that always happen and a
// counter that advances or not; the operands are then changed in a loop of their own. Stores into
// the code would hold up the loads behind them.
#include "packer/stub/transforms/x86_code.h"

#include "packer/stub/base/load_store.h"

namespace whittle::stub {
namespace {

// A step of the walk: bits 0-7 are the bytes to go, at most 10; then the next state; the highest
// bit tells that an operand is to be changed. It begins behind the byte and the instruction ends
// where the step does.
constexpr uint32_t kBytes = 0xff, kState = 0x7f00, kOperandShift = 15;
static_assert(kAsking * X86Steps::kBehind <= kState >> 8);

// The step of a byte that asks for this, where it ends the instruction but for `behind` bytes.
uint32_t step_of(X86Asks asks, uint32_t behind) {
  uint32_t bytes = 1, next = 0, operand = 0;
  for (auto left = static_cast<uint32_t>(asks >> 58); left != 0; left -= 6, asks >>= 6) {
    const uint32_t field = asks & 63;
    if (field == kRip || field == kCall) operand = 1;
    if (field < kAsking) {
      next = field;
    } else if (next == 0) {
      bytes++;
    } else {
      behind++;
    }
  }
  if (next == 0) {
    bytes += behind;
  } else {
    next = X86Steps::kBehind * next + behind;
  }
  return bytes | next << 8 | operand << kOperandShift;
}

// Nothing is behind but a ModRM or SIB byte; what other states would do with it is of no account.
void prepare(X86Steps& steps) {
  for (uint32_t field = 0; field < kAsking; field++) {
    for (uint32_t byte = 0; byte < 256; byte++) {
      const X86Asks asks = x86_asks(field, byte);
      for (uint32_t behind = 0; behind < X86Steps::kBehind; behind++) {
        steps.step[256 * (X86Steps::kBehind * field + behind) + byte] =
            static_cast<uint16_t>(step_of(asks, behind));
      }
    }
  }
}

struct Lane {
  size_t at;    // from the first lane's piece on
  size_t step;  // the last one
  size_t noted;
};

__attribute__((always_inline)) inline void take_step(Lane& lane, const uint8_t* code,
                                                     const X86Steps& steps,
                                                     X86Workspace::Notes& notes) {
  const size_t step = steps.step[(lane.step & kState) | code[lane.at]];
  notes.at[lane.noted] = static_cast<uint16_t>(lane.at);
  notes.step[lane.noted] = static_cast<uint16_t>(step);
  lane.noted += step >> kOperandShift;
  lane.step = step;
  lane.at += step & kBytes;
}

// Walks all lanes until one has arrived.
void walk_together(Lane (&lanes)[X86Workspace::kLanes], const uint8_t* code, X86Workspace& w) {
  static_assert(X86Workspace::kLanes == 4 && kX86Piece - 1 <= UINT16_MAX);
  constexpr size_t kEnd = kX86Piece - kX86PieceTail;
  Lane a = lanes[0], b = lanes[1], c = lanes[2], d = lanes[3];  // in registers
  for (;;) {
    if (a.at >= kEnd) break;
    take_step(a, code, w.steps, w.notes[0]);
    if (b.at >= kEnd + kX86Piece) break;
    take_step(b, code, w.steps, w.notes[1]);
    if (c.at >= kEnd + 2 * kX86Piece) break;
    take_step(c, code, w.steps, w.notes[2]);
    if (d.at >= kEnd + 3 * kX86Piece) break;
    take_step(d, code, w.steps, w.notes[3]);
  }
  lanes[0] = a, lanes[1] = b, lanes[2] = c, lanes[3] = d;
}

}  // namespace

void x86_to_absolute(uint8_t* code, size_t size, uint64_t address) {
  static const X86Steps steps = [] {
    X86Steps all;
    prepare(all);
    return all;
  }();
  for (size_t piece = 0; piece < size; piece += kX86Piece) {
    const size_t end = size - piece < kX86Piece ? size : piece + kX86Piece;
    size_t state = 0, step;
    for (size_t at = piece; at + kX86PieceTail < end; at += step & kBytes, state = step & kState) {
      step = steps.step[state | code[at]];
      uint8_t* operand = code + at + 1;
      if (step >> kOperandShift != 0) {
        const uint64_t next = address + at + (step & kBytes);
        store32(operand, __builtin_bswap32(load32(operand) + static_cast<uint32_t>(next)));
      }
    }
  }
}

void x86_to_relative(uint8_t* code, size_t size, uint64_t address, X86Workspace& w) {
  prepare(w.steps);
  for (;;) {
    Lane lanes[X86Workspace::kLanes];
    for (size_t k = 0; k < X86Workspace::kLanes; k++) lanes[k] = {k * kX86Piece, 0, 0};
    if (size >= X86Workspace::kLanes * kX86Piece) walk_together(lanes, code, w);
    for (size_t k = 0; k < X86Workspace::kLanes; k++) {
      // What is left of the lane's piece, or all of it where lanes do not walk together.
      const size_t end = (k + 1) * kX86Piece < size ? (k + 1) * kX86Piece : size;
      Lane lane = lanes[k];
      while (lane.at + kX86PieceTail < end) take_step(lane, code, w.steps, w.notes[k]);
      for (size_t i = 0; i < lane.noted; i++) {
        const size_t at = k * kX86Piece + w.notes[k].at[i] % kX86Piece;
        uint8_t* operand = code + at + 1;
        const uint64_t next = address + at + (w.notes[k].step[i] & kBytes);
        store32(operand, __builtin_bswap32(load32(operand)) - static_cast<uint32_t>(next));
      }
    }
    constexpr size_t kWalked = X86Workspace::kLanes * kX86Piece;
    if (size <= kWalked) return;
    code += kWalked, size -= kWalked, address += kWalked;
  }
}

}  // namespace whittle::stub
