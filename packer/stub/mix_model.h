// SPDX-License-Identifier: MIT
//
// The model that encoder and decoder both run: commands, literals, lengths and distances, each a
// few 4-bit symbols (mix_nibble.h) in contexts (mix_context.h). packer/MIX_FORMAT.md describes it
// for people.
//
// It is an LZ77 codec whose literals are modelled so well that much of what others copy by short
// matches is cheaper as literals. That costs time; the encoder knows the price of it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/stub/mix_context.h"
#include "packer/stub/mix_nibble.h"

namespace whittle::stub {

inline constexpr uint32_t kGeneralBits = 13, kSpecificBits = 12, kCommandBits = 9;
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

// The weight of the second model, of 65536: what a general one has next to the field's, by its
// level (0 or 1); what a specific one has next to the general one, by its level.
inline constexpr uint16_t kWeights[5] = {3760, 14500, 19288, 32768, 41697};
inline constexpr uint32_t kHalf = 32768;

struct MixWorkspace {
  X86Table x86;
  Steps steps;
  Nibble specific[1U << kSpecificBits];
  Nibble general[1U << kGeneralBits];
  Nibble field[kFields * 17];
  Nibble command[2][1U << kCommandBits];
  Nibble length[3 * kFields], length_more[3], length_high[3];
  Nibble distance_high[8 * kFields], distance_low[16], distance_align[16];
};

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
    Input a, b;
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
  __attribute__((noinline)) uint32_t single(Nibble& m, uint32_t symbol) {
    Mixture mixture;
    mix(mixture, 0xffff, m, m);
    symbol = coder.code(mixture, symbol);
    learn(w.steps, symbol, direct(m));
    return symbol;
  }

  static Input direct(Nibble& m) { return {&m, &m, m.lane[0]}; }

  // `part` 0: the high nibble; 1 + high: the low one.
  inline __attribute__((always_inline)) Pair literal_pair(const Context& c, uint32_t part) {
    const uint32_t more = part * 0x9E3779B1U;
    const Input field = direct(w.field[c.field * 17 + part]);
    const Input general = hashed(w.general, kGeneralBits, c.general + more, field.from);
    const Input specific = hashed(w.specific, kSpecificBits, c.specific + more, general.from);
    // A general model that has seen little has learned from the field alone so far.
    const uint32_t seen = general.level(), old = seen >> 1;
    return {{select(field.from, general.from, old), select(field.slot, general.slot, old),
             select(field.head, general.head, old)},
            {select(general.from, specific.from, old), select(general.slot, specific.slot, old),
             select(general.head, specific.head, old)},
            kWeights[seen + (specific.level() & -old)]};
  }
  // The model of the hash's context; where its place belongs to another one, what it is going to
  // begin with.
  static inline __attribute__((always_inline)) Input hashed(Nibble* table, uint32_t bits,
                                                            uint32_t h, const Nibble* fresh) {
    h ^= h >> 14;
    Nibble* slot = &table[h & ((1U << bits) - 1)];
    const uint32_t tag = (h >> 16 & ~kCountMask) | (kCountMask + 1), head = slot->lane[0];
    const uint32_t known = (head ^ tag) <= kCountMask;
    return {select<const Nibble>(fresh, slot, known), slot, select(tag + 2, head, known)};
  }
  inline __attribute__((always_inline)) uint8_t literal(const Context& c, uint32_t byte) {
    uint32_t part = 0, result = 0;
#pragma GCC unroll 1
    for (int i = 0; i < 2; i++) {
      const uint32_t symbol = mixed(literal_pair(c, part), i == 0 ? byte >> 4 : byte & 15);
      result = result * 16 + symbol;
      part = 1 + symbol;
    }
    return static_cast<uint8_t>(result);
  }

  inline __attribute__((always_inline)) Pair command_pair(const Context& c, const Past& past) {
    constexpr uint32_t mask = (1U << kCommandBits) - 1;
    return {direct(w.command[0][hash2(c.field, past.history & 0xfff) & mask]),
            direct(w.command[1][hash2(c.specific, past.history & 3) & mask]), kHalf};
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

// Before each stream.
void prepare(MixWorkspace& w);

inline constexpr uint32_t kBlockCommands = 1U << 18;

}  // namespace whittle::stub
