// SPDX-License-Identifier: MIT
//
// The transform to absolute operands follows the definition: decode an instruction, change its
// operand, go on after it. The inverse runs at every start of a packed program. Written the same
// way it is slow for two reasons. What an instruction is depends on its bytes, so branches are
// mispredicted; and the next one's begin is known only once this one is decoded, so the processor
// waits instead of doing several things at once. Three measures against that:
//
// Steps from tables. The first two bytes index a table that gives, for nearly all instructions, the
// distance to the next one and whether there is an operand to change. If the second byte is an
// opcode followed by a ModRM byte, a second table adds what that asks for. This takes additions and
// masks, and no branch. What the tables cannot express goes through the exact decoder.
//
// Several lanes. The code is walked at four places in turn, so that the loads of one overlap the
// waiting of the others. Only lane 0 knows where an instruction begins; the others guess. Sweeps
// that begin at different bytes soon meet and then stay together, so a sweep that starts a little
// ahead of its place arrives there in step, in real code 999 times out of 1,000. Whether it did is
// known when the preceding lane arrives: either at the very same byte, or the work of this lane and
// of those after it is dropped and the walk continues from where the preceding lane arrived.
//
// Operands later. A lane only records which instructions have an operand, with a store that always
// happens and a counter that advances or not. No byte changes until it is known which lanes were
// right, so nothing has to be undone; the operands are then changed in a loop of their own.
//
// So guesses decide how long it takes, never what comes out. This is three to four times as fast as
// walking as defined; one lane would be twice as fast. Cutting regions into independent pieces in
// the format would save the guessing, at the price of a rule that every reader has to know.
#include "packer/stub/x86_code.h"

#include "packer/stub/load_store.h"
#include "packer/stub/x86_instruction.h"

namespace whittle::stub {
namespace {

using x86::decode;
using x86::Instruction;
using x86::kLongest;

inline void make_relative(uint8_t* operand, uint64_t next) {
  const uint32_t value = __builtin_bswap32(load32(operand));
  store32(operand, value - static_cast<uint32_t>(next));
}

// A step of the walk, in a byte.
enum : uint8_t {
  kLength = 31,   // mask: bytes to go
  kOperand = 32,  // there is an operand to change
  kGeneral = 64,  // none of the other bits counts: ask the exact decoder
  kBehind = 128,  // to be added: what the ModRM byte asks for, which is the third byte
};

constexpr size_t kLanes = X86Workspace::kLanes;
static_assert(kLength < kLongest);

// What ModRM asks for after it, as a step; where that depends on SIB, with the least.
uint8_t addressing_step(uint32_t modrm) {
  const uint32_t mod = modrm >> 6, rm = modrm & 7;
  if (mod == 3) return 0;
  if (mod == 0 && rm == 5) return kOperand | 4;
  const uint32_t displacement = mod == 1 ? 1 : mod == 2 ? 4 : 0;
  return static_cast<uint8_t>(displacement + (rm == 4));
}

// The step over an opcode and what follows it, where `length` bytes reach to the opcode's end.
__attribute__((noinline)) uint8_t opcode_step(uint8_t traits, uint32_t length) {
  if (traits & x86::kPrefix || (traits & (x86::kSpecial | x86::kSizeMask)) == x86::kSpecial) {
    return kGeneral;
  }
  if (traits & x86::kModRm) length += 1 + kBehind;
  if (traits & x86::kRelative) length += kOperand;
  return static_cast<uint8_t>(length + (traits & x86::kSizeMask));
}

// Fills the tables. Rows of `pairs` have their second byte in common. What that means depends on
// whether the first byte is an opcode with ModRM, a prefix or neither, so a row is made of three
// numbers by masks, eight steps at once, and the few exceptions are written over it.
void prepare(X86Workspace& workspace) {
  union {
    uint8_t steps[256];
    uint64_t eight[32];
  } alone, has_modrm, is_prefix;  // the step but for what the second byte adds; masks
  constexpr uint64_t kEach = 0x0101010101010101;
  for (uint32_t first = 0; first < 256; first++) {
    const uint8_t traits = x86::kOneByte[first];
    alone.steps[first] = opcode_step(traits, 1) & (kBehind - 1);
    has_modrm.steps[first] = traits & x86::kModRm ? 0xff : 0;
    is_prefix.steps[first] = traits & x86::kPrefix ? 0xff : 0;
  }
  alone.steps[0xf6] = alone.steps[0xf7] = 2;  // group 3, mostly without an immediate
  for (uint32_t second = 0; second < 256; second++) {
    const uint8_t addressing = addressing_step(second);
    const bool needs_sib = (second & 0xc7) == 4;
    uint8_t* column = workspace.addressing + second;
    for (uint32_t sib = 0; sib < 8; sib++) column[256 * sib] = addressing;
    if (needs_sib) column[256 * 5] += 4;
    const uint64_t modrm = needs_sib ? uint8_t{kGeneral} : addressing;
    // No prefix matters to what 0F begins, so the step is over the prefix alone.
    const uint8_t traits = x86::kOneByte[second];
    const uint64_t behind = second == 0x0f ? 1 : opcode_step(traits, 2);
    uint8_t* row = workspace.pairs + 256 * second;
    for (uint32_t i = 0; i < 32; i++) {  // alone, a prefix is kGeneral
      const uint64_t eight = (alone.eight[i] + (has_modrm.eight[i] & kEach * modrm)) ^
                             (is_prefix.eight[i] & kEach * (behind ^ kGeneral));
      store64(row + 8 * i, eight);
    }
    row[0x0f] = opcode_step(x86::kTwoByte[second], 2);
    if ((traits & x86::kSizeMask) == x86::kImm32) row[0x66] = kGeneral;  // or 2 bytes
    if ((second & 0xf8) == 0xb8) {                                       // MOV r, imm64
      for (uint32_t rex = 0x48; rex < 0x50; rex++) row[rex] += 4;
    }
    if ((second & 0x30) == 0) row[0xf6] = row[0xf7] = kGeneral;  // TEST r/m, imm
  }
}

// The step at `p`; 4 bytes are readable.
__attribute__((always_inline)) inline uint32_t step_at(const uint8_t* p,
                                                       const X86Workspace& workspace) {
  const uint32_t bytes = load32(p);
  const int32_t pair = static_cast<int8_t>(workspace.pairs[bytes & 0xffff]);
  const int32_t addressing = workspace.addressing[bytes >> 16 & 0x7ff];
  return static_cast<uint8_t>(pair + (addressing & (pair >> 31)));  // kBehind is the sign
}

// The same for any instruction; here bits 8 and up are the operand's offset.
__attribute__((noinline)) uint32_t general_step_at(const uint8_t* p) {
  const Instruction instruction = decode(p);
  const uint32_t has_operand = instruction.operand != 0;
  return instruction.length | has_operand * kOperand | instruction.operand << 8;
}

// Where the operand of an instruction is, by its step. A call or jump has five bytes; with a ModRM
// byte and a displacement there are at least six.
inline uint32_t operand_offset(uint32_t step) {
  if (__builtin_expect(step >> 8 != 0, 0)) return step >> 8;
  return 2 + (step / kBehind & 1) - ((step & kLength) == 5);
}

inline uint16_t low_bits(const uint8_t* p) {
  return static_cast<uint16_t>(reinterpret_cast<uintptr_t>(p));
}

struct Lane {
  const uint8_t* at;
  X86Workspace::Carrier* carriers;  // where the next is noted
};

__attribute__((always_inline)) inline void take(Lane& lane, uint32_t step) {
  lane.carriers->address = low_bits(lane.at);
  lane.carriers->step = static_cast<uint16_t>(step);
  lane.carriers += step / kOperand & 1;
  lane.at += step & kLength;
}

// Takes a step, or returns false where the tables do not know it.
__attribute__((always_inline)) inline bool take_step(Lane& lane, const X86Workspace& workspace) {
  const uint32_t step = step_at(lane.at, workspace);
  if (__builtin_expect(step & kGeneral, 0)) return false;
  take(lane, step);
  return true;
}

// Walks to the first place at or after `end`; kLongest bytes are readable before it ends.
__attribute__((noinline)) void walk_lane(Lane& home, const uint8_t* end,
                                         const X86Workspace& workspace) {
  Lane lane = home;
  while (lane.at < end) {
    uint32_t step = step_at(lane.at, workspace);
    if (step & kGeneral) step = general_step_at(lane.at);
    take(lane, step);
  }
  home = lane;
}

// Walks all lanes until one has arrived: lane k at or after end + k * piece_size.
void walk_lanes(Lane (&lanes)[kLanes], const uint8_t* end, size_t piece_size,
                const X86Workspace& workspace) {
  static_assert(kLanes == 4);
  const uint8_t *a_end = end, *b_end = a_end + piece_size, *c_end = b_end + piece_size,
                *d_end = c_end + piece_size;
  for (;;) {
    Lane a = lanes[0], b = lanes[1], c = lanes[2], d = lanes[3];  // in registers
    Lane* stuck = nullptr;
    while (a.at < a_end && b.at < b_end && c.at < c_end && d.at < d_end) {
      if (stuck = &lanes[0]; !take_step(a, workspace)) break;
      if (stuck = &lanes[1]; !take_step(b, workspace)) break;
      if (stuck = &lanes[2]; !take_step(c, workspace)) break;
      if (stuck = &lanes[3]; !take_step(d, workspace)) break;
      stuck = nullptr;
    }
    lanes[0] = a, lanes[1] = b, lanes[2] = c, lanes[3] = d;
    if (stuck == nullptr) return;
    walk_lane(*stuck, stuck->at + 1, workspace);  // the one step
  }
}

// Changes the operands that a lane has noted from code[piece] on, in less than 64 KiB.
void change_operands(const X86Workspace::Carrier* carrier, const X86Workspace::Carrier* end,
                     size_t piece, uint8_t* code, uint64_t address) {
  for (; carrier != end; carrier++) {
    const size_t at = piece + static_cast<uint16_t>(carrier->address - low_bits(code + piece));
    make_relative(code + at + operand_offset(carrier->step),
                  address + at + (carrier->step & kLength));
  }
}

// Changes the operands in four pieces of code from code[at] on, or in fewer where a lane had
// guessed wrong, and returns where to go on. kLongest more bytes are readable.
size_t undo_pieces(uint8_t* code, size_t at, size_t piece_size, uint64_t address,
                   X86Workspace& workspace) {
  constexpr size_t kAhead = 128;  // bytes that a guess sweeps
  const uint8_t* const first = code + at;
  Lane lanes[kLanes];
  const uint8_t* begin[kLanes];
  for (size_t k = 0; k < kLanes; k++) {
    const uint8_t* piece = first + k * piece_size;
    lanes[k] = {k == 0 ? piece : piece - kAhead, workspace.carriers[k]};
    walk_lane(lanes[k], piece, workspace);
    begin[k] = lanes[k].at;
    lanes[k].carriers = workspace.carriers[k];
  }
  walk_lanes(lanes, first + piece_size, piece_size, workspace);
  size_t k = 0;
  do {
    walk_lane(lanes[k], first + (k + 1) * piece_size, workspace);
    change_operands(workspace.carriers[k], lanes[k].carriers, static_cast<size_t>(begin[k] - code),
                    code, address);
    k++;
  } while (k < kLanes && begin[k] == lanes[k - 1].at);
  return static_cast<size_t>(lanes[k - 1].at - code);
}

// The walk as it is defined, one instruction at a time. The last instructions, whose bytes might
// run past the end, are left alone: kLongest bytes of several megabytes.
template <typename Change>
inline void walk(uint8_t* code, size_t at, size_t size, uint64_t address, Change change) {
  while (size - at >= kLongest) {
    const Instruction instruction = decode(code + at);
    if (instruction.operand != 0) {
      change(code + at + instruction.operand, address + at + instruction.length);
    }
    at += instruction.length;
  }
}

}  // namespace

void x86_to_absolute(uint8_t* code, size_t size, uint64_t address) {
  walk(code, 0, size, address, [](uint8_t* operand, uint64_t next) {
    store32(operand, __builtin_bswap32(load32(operand) + static_cast<uint32_t>(next)));
  });
}

void x86_to_relative(uint8_t* code, size_t size, uint64_t address, X86Workspace& workspace) {
  constexpr size_t kWorthIt = kLongest + kLanes * 256;  // bytes; below, tables cost more
  size_t at = 0;
  if (size >= kWorthIt) prepare(workspace);
  while (size - at >= kWorthIt) {
    const size_t share = (size - at - kLongest) / kLanes;
    const size_t piece_size = share < X86Workspace::kPiece ? share : X86Workspace::kPiece;
    at = undo_pieces(code, at, piece_size, address, workspace);
  }
  walk(code, at, size, address, make_relative);
}

}  // namespace whittle::stub
