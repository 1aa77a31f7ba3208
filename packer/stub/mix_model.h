// SPDX-License-Identifier: MIT
//
// MODEL_DOC
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/stub/mix_context.h"
#include "packer/stub/mix_nibble.h"

namespace whittle::stub {

#ifndef HB
#define HB 13
#endif
inline constexpr uint32_t kHashedBits = HB, kNearBits = 12, kCommandBits = 11;
inline constexpr uint32_t kReps = 4;
inline constexpr uint32_t kLimit = 26;  // of the counts of mixed models

// Commands: a literal; a copy from a new distance; one from a distance of before, whose length
// follows or, for the last distance, is told by the command itself.
enum Command : uint32_t {
  kLiteral = 0,
  kMatch = 1,
  kRep = 2,        // + 0..3
  kShortRep = 6,   // + 0..9: length 1 to 10 at the last distance
  kShortest = 11,  // length at which kRep + 0 begins
};

struct MixWorkspace {
  Nibble hashed[kHashedInputs][1U << kHashedBits];
  Nibble field[32 * 17];
  Nibble near[1U << kNearBits];
  Nibble command[3][1U << kCommandBits];
  Nibble length[3 * 32], length_more[3], length_high[3];
  Nibble distance_high[8 * 32], distance_low[16], distance_align[16];
  Nibble even;
  Weights literal_weights[2 * 32 * 16];
  Weights command_weights[32 * 16];
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

  template <typename... In>
  inline __attribute__((always_inline)) uint32_t mixed(Weights& weights, uint32_t symbol,
                                                       const In&... in) {
    Mixture mixture;
    mix(mixture, weights, in...);
    symbol = coder.code(mixture, symbol);
    learn_weights(weights, symbol, mixture.size(symbol), in...);
    learn(symbol, kLimit, in...);
    return symbol;
  }
  uint32_t single(Nibble& m, uint32_t symbol) {
    const Weights all{{65535, 0, 0, 0}};
    const Input in = direct(m);
    Mixture mixture;
    mix(mixture, all, in);
    symbol = coder.code(mixture, symbol);
    learn(symbol, kCountMask, in);
    return symbol;
  }

  static Input direct(Nibble& m) { return {&m, &m, m.lane[0]}; }
  // Of two neighbours, the one that has the context's tag, or else the one that has seen less.
  Input hashed(Nibble* table, uint32_t h) const {
    h ^= h >> 14;
    Nibble* set = &table[h & ((1U << kHashedBits) - 2)];
    const uint32_t tag = (h >> 16 & ~kCountMask) | (kCountMask + 1);
    const uint32_t first = set[0].lane[0], second = set[1].lane[0];
    const uint32_t is_first = (first ^ tag) <= kCountMask, is_second = (second ^ tag) <= kCountMask;
    const uint32_t less = (second & kCountMask) < (first & kCountMask);
    const uint32_t way = is_second | (less & ~is_first);
    const uint32_t fresh = 1 & ~(is_first | is_second);
    Nibble* slot = set + way;
    const uint32_t head = first ^ ((first ^ second) & -way);
    return {select<Nibble>(slot, &w.even, fresh), slot, head ^ ((head ^ tag) & -fresh)};
  }

  struct LiteralSet {
    Input a, b, c, d;
    Weights* weights;
  };
  // `part` 0: the high nibble; 1 + high: the low one.
  inline __attribute__((always_inline)) LiteralSet literal_set(const Context& c, uint32_t part) {
    LiteralSet s;
    const uint32_t more = part * 0x9E3779B1U;
    s.a = direct(w.field[c.field * 17 + part]);
    s.b = direct(w.near[hash2(c.near * 32 + c.field, more) & ((1U << kNearBits) - 1)]);
    s.c = hashed(w.hashed[0], c.hash[0] + more);
    s.d = hashed(w.hashed[1], c.hash[1] + more);
    const uint32_t level = s.c.level() * 4 + s.d.level();
    s.weights = &w.literal_weights[((part == 0) * 32U + c.field) * 16 + level];
    return s;
  }
  uint8_t literal(const Context& c, uint32_t byte) {
    uint32_t part = 0, result = 0;
    for (int i = 0; i < 2; i++) {
      const LiteralSet s = literal_set(c, part);
      const uint32_t symbol =
          mixed(*s.weights, i == 0 ? byte >> 4 : byte & 15, s.a, s.b, s.c, s.d);
      result = result * 16 + symbol;
      part = 1 + symbol;
    }
    return static_cast<uint8_t>(result);
  }

  struct CommandSet {
    Input a, b, c;
    Weights* weights;
  };
  inline __attribute__((always_inline)) CommandSet command_set(const Context& c, const Past& past,
                                                               uint32_t guess) {
    CommandSet s;
    const uint32_t mask = (1U << kCommandBits) - 1;
    s.a = direct(w.command[0][hash2(c.field, past.history & 0xfff) & mask]);
    s.b = direct(w.command[1][hash2(c.hash[1], past.history & 3) & mask]);
    s.c = direct(w.command[2][hash2(guess * 32 + c.field, past.history & 15) & mask]);
    s.weights = &w.command_weights[c.field * 16 + s.b.level() * 4 + s.c.level()];
    return s;
  }
  uint32_t command(const Context& c, const Past& past, uint32_t guess, uint32_t symbol) {
    const CommandSet s = command_set(c, past, guess);
    return mixed(*s.weights, symbol, s.a, s.b, s.c);
  }

  static uint32_t length_class(uint32_t command) {
    return command == kMatch ? 0 : command == kRep ? 1 : 2;
  }
  // Lengths from 1.
  uint32_t length(uint32_t command, uint32_t field, uint32_t value) {
    const uint32_t k = length_class(command);
    const uint32_t v = value - 1;
    uint32_t symbol = single(w.length[k * 32 + field], v < 15 ? v : 15);
    if (symbol < 15) return symbol + 1;
    symbol = single(w.length_more[k], v - 15 < 15 ? v - 15 : 15);
    if (symbol < 15) return symbol + 16;
    const uint32_t rest = v - 29;  // from 1
    const auto log = static_cast<uint32_t>(31 - __builtin_clz(rest | 1)) & 15;
    const uint32_t bits = single(w.length_high[k], log);
    return coder.raw(rest - (1U << bits), bits) + (1U << bits) + 30;
  }
  static uint32_t distance_context(uint32_t length, uint32_t field) {
    return (length < 8 ? length - 1 : 7) * 32 + field;
  }
  // Distances from 1: the place of the first bit in steps of 2; the 3 or 4 bits from there; those
  // between, of equal probability; the last 4.
  uint32_t distance(uint32_t context, uint32_t value) {
    const uint32_t log = static_cast<uint32_t>(31 - __builtin_clz(value | 1));
    const uint32_t high = single(w.distance_high[context], log >> 1);
    if (high == 0) return single(w.distance_low[0], value & 15);
    const uint32_t bits = 2 * high - 2;
    uint32_t result = single(w.distance_low[high], (value >> bits) & 15) << bits;
    if (bits == 0) return result;
    if (bits > 4) {
      const uint32_t middle = bits - 4, part = middle > 12 ? middle - 12 : 0;
      if (part != 0) result |= coder.raw((value >> 16) & ((1U << part) - 1), part) << 16;
      result |= coder.raw((value >> 4) & ((1U << (middle - part)) - 1), middle - part) << 4;
    }
    return result | single(w.distance_align[high], value & (bits > 4 ? 15 : (1U << bits) - 1));
  }
};

inline void prepare(MixWorkspace& w) {
  Nibble even{};
  for (uint32_t k = 1; k < 16; k++) even.lane[k] = static_cast<uint16_t>(k * (kFull / 16));
  __builtin_memset(w.hashed, 0, sizeof w.hashed);
  for (Nibble* m = w.field; m <= &w.even; m++) *m = even;
  for (Weights& x : w.literal_weights) x = {{16384, 16384, 16384, 16383}};
  for (Weights& x : w.command_weights) x = {{21845, 21845, 21845, 0}};
}

inline constexpr uint32_t kBlockCommands = 1U << 18;

}  // namespace whittle::stub
