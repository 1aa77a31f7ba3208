// SPDX-License-Identifier: MIT
//
// The model that encoder and decoder both run: commands, literals, lengths and distances, each a
// few 4-bit symbols (mix_distribution.h) in contexts (mix_context.h). packer/MIX_FORMAT.md
// describes it for people.
//
// It is an LZ77 codec whose literals are modelled so well that much of what others copy by short
// matches is cheaper as literals. That costs time; the encoder knows the price of it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/stub/codecs/mix_context.h"
#include "packer/stub/codecs/mix_distribution.h"

namespace whittle::stub {

inline constexpr uint32_t kCommandBits = 9;
inline constexpr uint32_t kReps = 4;

// Commands: a literal; a copy from a new distance; one from a distance of before, whose length
// follows or, for the last distance, is told by the command itself.
enum Command : uint32_t {
  kLiteral = 0,
  kMatch = 1,
  kRep = 2,        // + 0..3
  kShortRep = 6,   // + 0..9: length 1 to 10 at the last distance
  kShortest = 11,  // length at which kRep + 0 begins
};

// A model is old once it was updated more often than this.
inline constexpr uint32_t kYoung = 12;
inline constexpr uint32_t kHalf = 32768;

// The weight of the second model, of 65536: of a young general one next to the field's; of a
// specific one next to an old general one.
inline constexpr uint16_t kGeneralInBytes = 14500, kGeneralInCode = kHalf;
inline constexpr uint32_t kYoungSpecific = kHalf, kOldSpecific = 41697;
// What the models of the fields count when they have seen nothing.
inline constexpr uint16_t kFieldCount = 8;
// What a model counts that begins as a copy of another one.
inline constexpr uint32_t kInherited = 2;

struct MixWorkspace {
  X86Table x86;
  ContextBits bits;
  Steps steps;
  uint32_t general_weight;
  uint32_t general_mask, specific_mask;  // of a place's number in the tables
  Distribution specific[1U << kMaxTableBits];
  Distribution general[2U << kMaxTableBits];
  // Found by the number of their context alone; from here to the end there are these and no others.
  Distribution field[kFields * 17];
  Distribution command[2][1U << kCommandBits];
  Distribution length[3 * kFields], length_more[3], length_high[3];
  Distribution distance_high[8 * kFields], distance_low[16], distance_align[16];
};
inline constexpr uint32_t kDirectModels =
    kFields * 17 + (2U << kCommandBits) + 3 * kFields + 3 + 3 + 8 * kFields + 16 + 16;
static_assert(offsetof(MixWorkspace, field) + kDirectModels * sizeof(Distribution) ==
              sizeof(MixWorkspace));

// What of the commands before decides the next one.
struct Past {
  uint32_t reps[kReps] = {1, 1, 1, 1};
  uint32_t history = 0;  // 2 bits a command, the last one lowest: literal 0, match 1, rep 2

  void literal() { history <<= 2; }
  void copy(uint32_t command, uint32_t distance) {
    history = (history << 2) | (command == kMatch ? 1 : 2);
    uint32_t i = command == kMatch ? kReps - 1 : command < kShortRep ? command - kRep : 0;
    for (; i > 0; i--) reps[i] = reps[i - 1];
    reps[0] = distance;
  }
  bool after_literal() const { return (history & 3) == 0; }
};

// Codes by way of `Coder`: code(mixture, symbol) and raw(value, bits). An encoder takes the value
// given; a decoder ignores it. Both return the value.
template <class Coder>
struct MixModel {
  MixWorkspace& w;
  Coder& coder;

  // Two models, the second one more specific.
  struct Pair {
    MixInput a, b;
    uint32_t weight;  // of the second
  };
  inline __attribute__((always_inline)) uint32_t mixed(const Pair& pair, uint32_t symbol) {
    Mixture mixture;
    mix(mixture, pair.weight, *pair.a.from, *pair.b.from);
    symbol = coder.code(mixture, symbol);
    learn(w.steps, symbol, pair.b);  // first: it may begin as the other one
    learn(w.steps, symbol, pair.a);
    return symbol;
  }
  // By one model alone.
  __attribute__((noinline)) uint32_t single(Distribution& m, uint32_t symbol) {
    Mixture mixture;
    mix(mixture, 0xffff, m, m);
    symbol = coder.code(mixture, symbol);
    learn(w.steps, symbol, direct(m));
    return symbol;
  }

  static MixInput direct(Distribution& m) { return {&m, &m, m.lane[0]}; }

  // What a table has for a context.
  struct Lookup {
    Distribution* slot;
    uint32_t head, tag, known;  // known: it is this context's

    uint32_t is_old() const { return (head & kCountMask) > kYoung; }
    MixInput input(const Distribution* fresh) const {
      return {select<const Distribution*>(fresh, slot, known), slot,
              select(tag + kInherited, head, known)};
    }
  };
  // All parts of a context have one tag; their places differ in the lowest bits.
  static inline __attribute__((always_inline)) Lookup look_up(Distribution* table, uint32_t mask,
                                                              uint32_t h, uint32_t part) {
    Distribution* slot = &table[(h ^ part) & mask];
    const uint32_t tag = (h >> 16 & ~kCountMask) | (kCountMask + 1), head = slot->lane[0];
    return {slot, head, tag, (head ^ tag) <= kCountMask};
  }
  // `part` 0: the high nibble; 1 + high: the low one.
  inline __attribute__((always_inline)) Pair literal_pair(const Context& c, uint32_t part) const {
    const Lookup general_found = look_up(w.general, w.general_mask, c.general, part);
    const Lookup specific_found = look_up(w.specific, w.specific_mask, c.specific, part);
    const MixInput field = direct(w.field[c.field * 17 + part]);
    const MixInput general = general_found.input(field.from);
    const MixInput specific = specific_found.input(general.from);
    // A young general model has learned from the field alone so far. A new specific one says the
    // same as the general one: no need to wait until it is known to be new for its weight.
    const uint32_t old = general_found.known & general_found.is_old();
    return {direct(*select(field.slot, general.slot, old)),
            {select(general.from, specific.from, old), select(general.slot, specific.slot, old),
             select(general.head, specific.head, old)},
            select(w.general_weight, specific_found.is_old() ? kOldSpecific : kYoungSpecific, old)};
  }
  inline __attribute__((always_inline)) Pair command_pair(const Context& c,
                                                          const Past& past) const {
    constexpr uint32_t mask = (1U << kCommandBits) - 1;
    const uint32_t before = (past.history & 0xfff) * 0x9E3779B1U >> (32 - kCommandBits);
    return {direct(w.command[0][(before ^ c.field << 3) & mask]),
            direct(w.command[1][(c.specific ^ past.history << 7) & mask]), kHalf};
  }

  // A command where one `stands`, elsewhere it is kLiteral; and after that the `byte`. In one loop,
  // because the code for a symbol is a large part of a stub.
  inline __attribute__((always_inline)) uint32_t command(const Context& c, const Past& past,
                                                         bool stands, uint32_t command,
                                                         uint32_t& byte) {
    uint32_t left = stands ? 3 : 2, part = 0, high = 0;
    for (;;) {
      const bool is_command = left == 3;
      const Pair pair = is_command ? command_pair(c, past) : literal_pair(c, part);
      const uint32_t symbol = mixed(pair, is_command ? command : left == 2 ? byte >> 4 : byte & 15);
      left--;
      if (is_command) {
        if (symbol != kLiteral) return symbol;
      } else if (left == 1) {
        high = symbol;
        part = 1 + symbol;
      } else {
        byte = high << 4 | symbol;
        return kLiteral;
      }
    }
  }

  static uint32_t length_class(uint32_t command) {
    return command == kMatch ? 0 : command == kRep ? 1 : 2;
  }
  // Lengths from 1.
  __attribute__((noinline)) uint32_t length(uint32_t command, uint32_t field, uint32_t value) {
    const uint32_t k = length_class(command);
    const uint32_t v = value - 1;
    uint32_t symbol = single(w.length[k * kFields + field], v < 15 ? v : 15);
    if (symbol < 15) return symbol + 1;
    symbol = single(w.length_more[k], v - 15 < 15 ? v - 15 : 15);
    if (symbol < 15) return symbol + 16;
    const uint32_t rest = v - 29;  // from 1
    const auto log = static_cast<uint32_t>(31 - __builtin_clz(rest | 1)) & 15;
    const uint32_t bits = single(w.length_high[k], log);
    return coder.raw(rest - (1U << bits), bits) + (1U << bits) + 30;
  }
  static uint32_t distance_context(uint32_t length, uint32_t field) {
    return (length < 8 ? length - 1 : 7) * kFields + field;
  }
  // Distances from 1: the place of the first bit in steps of 2; the 3 or 4 bits from there; those
  // between, of equal probability; the last 4.
  __attribute__((noinline)) uint32_t distance(uint32_t context, uint32_t value) {
    const uint32_t log = static_cast<uint32_t>(31 - __builtin_clz(value | 1));
    const uint32_t high = single(w.distance_high[context], log >> 1);
    if (high == 0) return single(w.distance_low[0], value & 15);
    const uint32_t bits = 2 * high - 2;
    uint32_t result = single(w.distance_low[high], (value >> bits) & 15) << bits;
    if (bits == 0) return result;
    if (bits > 4) {
      const uint32_t middle = bits - 4;
      result |= coder.raw((value >> 4) & ((1U << middle) - 1), middle) << 4;
    }
    return result | single(w.distance_align[high], value & (bits > 4 ? 15 : (1U << bits) - 1));
  }
};

// Before each stream, which begins so.
void prepare(MixWorkspace& w, const MixHeader& header);

inline Walker walker(const MixWorkspace& w, const MixHeader& header) {
  return {.x86 = &w.x86, .bits = &w.bits, .model = header.model, .columns = header.columns};
}

inline constexpr uint32_t kBlockCommands = 1U << 18;

}  // namespace whittle::stub
