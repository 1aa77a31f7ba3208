// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "packer/stub/x86_opcodes.h"

namespace whittle::stub {

// ---- nibble models ---------------------------------------------------------------------------

inline constexpr uint32_t kScaleBits = 15;
inline constexpr uint32_t kScale = 1U << kScaleBits;
inline constexpr uint32_t kFull = kScale - 16;  // what adaptive shares add up to

// The adaptive distribution of a 4-bit symbol. lane[k], k from 1: share of the symbols below k, of
// kFull; lane[0]: how often it was updated, up to its limit.
struct alignas(16) Nibble {
  uint16_t lane[16];
};

#ifndef NI
#define NI 6
#endif
struct Weights {
  uint16_t w[NI < 4 ? 4 : NI];
};

// A mixed distribution ready for coding: start[k], of kScale.
struct alignas(16) Cdf {
  uint16_t start[24];
};

inline constexpr uint16_t kRates[32] = {32767, 27000, 19000, 15000, 12500, 10600, 9200, 8200,
                                        7300,  6600,  6050,  5570,  5160,  4800,  4500, 4200,
                                        3980,  3750,  3550,  3370,  3200,  3060,  2920, 2800,
                                        2680,  2570,  2470,  2380,  2300,  2220,  2150, 2080};

template <int n>
inline void mix(Nibble* const (&in)[n], const Weights& weights, Cdf& out) {
#ifdef __SSE2__
  __m128i low = _mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7);
  __m128i high = _mm_setr_epi16(8, 9, 10, 11, 12, 13, 14, 15);
  const __m128i no_count = _mm_setr_epi16(0, -1, -1, -1, -1, -1, -1, -1);
  __m128i sum_low = _mm_setzero_si128();
  for (int i = 0; i < n; i++) {
    const __m128i w = _mm_set1_epi16(static_cast<short>(weights.w[i]));
    const __m128i* p = reinterpret_cast<const __m128i*>(in[i]->lane);
    sum_low = _mm_add_epi16(sum_low, _mm_mulhi_epu16(_mm_load_si128(p), w));
    high = _mm_add_epi16(high, _mm_mulhi_epu16(_mm_load_si128(p + 1), w));
  }
  low = _mm_add_epi16(low, _mm_and_si128(sum_low, no_count));
  _mm_store_si128(reinterpret_cast<__m128i*>(out.start), low);
  _mm_store_si128(reinterpret_cast<__m128i*>(out.start + 8), high);
#else
  out.start[0] = 0;
  for (uint32_t k = 1; k < 16; k++) {
    uint32_t sum = k;
    for (int i = 0; i < n; i++) sum += (uint32_t{in[i]->lane[k]} * weights.w[i]) >> 16;
    out.start[k] = static_cast<uint16_t>(sum);
  }
#endif
  out.start[16] = kScale;
}

// The symbol whose range holds `value`, below kScale.
inline uint32_t find(const Cdf& cdf, uint32_t value) {
#ifdef __SSE2__
  const __m128i v = _mm_set1_epi16(static_cast<short>(value));
  const __m128i* p = reinterpret_cast<const __m128i*>(cdf.start);
  const __m128i above = _mm_packs_epi16(_mm_cmpgt_epi16(_mm_load_si128(p), v),
                                        _mm_cmpgt_epi16(_mm_load_si128(p + 1), v));
  return static_cast<uint32_t>(
             __builtin_ctz(static_cast<uint32_t>(_mm_movemask_epi8(above)) | 0x10000)) -
         1;
#else
  uint32_t symbol = 0;
  for (uint32_t k = 1; k < 16; k++) symbol += cdf.start[k] <= value;
  return symbol;
#endif
}

inline uint32_t share(const Nibble& m, uint32_t symbol) {
  const uint32_t from = symbol == 0 ? 0 : m.lane[symbol];
  const uint32_t to = symbol == 15 ? kFull : m.lane[(symbol + 1) & 15];
  return to - from;
}

inline void learn(Nibble& m, uint32_t symbol, uint32_t limit) {
  const uint32_t count = m.lane[0] & 31, check = m.lane[0] & ~31U;
#ifdef __SSE2__
  __m128i* p = reinterpret_cast<__m128i*>(m.lane);
  const __m128i s = _mm_set1_epi16(static_cast<short>(symbol));
  const __m128i full = _mm_set1_epi16(static_cast<short>(kFull));
  const __m128i rate = _mm_set1_epi16(static_cast<short>(kRates[count]));
  __m128i low = _mm_load_si128(p), high = _mm_load_si128(p + 1);
  const __m128i to_low =
      _mm_and_si128(full, _mm_cmpgt_epi16(_mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7), s));
  const __m128i to_high =
      _mm_and_si128(full, _mm_cmpgt_epi16(_mm_setr_epi16(8, 9, 10, 11, 12, 13, 14, 15), s));
  low = _mm_add_epi16(low, _mm_mulhi_epi16(_mm_sub_epi16(to_low, low), rate));
  high = _mm_add_epi16(high, _mm_mulhi_epi16(_mm_sub_epi16(to_high, high), rate));
  _mm_store_si128(p, low);
  _mm_store_si128(p + 1, high);
#else
  const int32_t rate = kRates[count];
  for (uint32_t k = 1; k < 16; k++) {
    const int32_t target = k > symbol ? kFull : 0;
    m.lane[k] = static_cast<uint16_t>(m.lane[k] + (((target - m.lane[k]) * rate) >> 16));
  }
#endif
  m.lane[0] = static_cast<uint16_t>(check | (count + (count < limit)));
}

#ifndef MIXRATE
#define MIXRATE 3
#endif
#ifndef CHECK
#define CHECK 2
#endif
template <int n>
inline void learn_weights(Weights& weights, Nibble* const (&in)[n], uint32_t symbol,
                          uint32_t mixed) {
  const uint64_t inverse = 0x7fffffffU / (mixed + n - 1);  // parts are rounded down
  uint32_t rest = 65535;
  for (int i = 0; i + 1 < n; i++) {
    const uint32_t w = weights.w[i];
    const uint32_t posterior = static_cast<uint32_t>((w * share(*in[i], symbol) * inverse) >> 31);
    int32_t next = static_cast<int32_t>(w) +
                   ((static_cast<int32_t>(posterior) - static_cast<int32_t>(w)) >> MIXRATE);
    next += (static_cast<int32_t>(65536 / n) - next) >> 9;
    weights.w[i] = static_cast<uint16_t>(next);
    rest -= static_cast<uint32_t>(next);
  }
  weights.w[n - 1] = static_cast<uint16_t>(rest);
}

// ---- contexts --------------------------------------------------------------------------------

// What byte of an instruction comes next.
enum : uint8_t {
  kOpcode = 0,
  kOpcodeAfterPrefix,
  kOpcode2,
  kOpcode3,
  kModRmByte,
  kSib,
  kDisp8,
  kImm8Byte,
  kDisp32 = 8,
  kRip = 12,
  kCall = 16,
  kImm = 20,
  kJcc = 24,
};

struct X86Walker {
  uint8_t field = kOpcode;
  uint8_t disp = 0, disp_left = 0;  // field to come
  uint8_t imm = 0, imm_left = 0;
  uint8_t traits = 0;
  uint8_t wide = 0, small = 0, map = 0, skip = 0;
  uint8_t opcode = 0;
  uint8_t modrm = 0;
  uint32_t key = 0;    // of the instruction so far, without operands
  uint32_t all = 0;    // of all its bytes so far
  uint32_t value = 0;  // of the operand's bytes so far
  uint32_t previous[3] = {0, 0, 0};

  void operand() {
    if (disp_left != 0) {
      field = disp;
      return;
    }
    if (imm_left != 0) {
      field = imm;
      return;
    }
    end();
  }
  void end() {
    previous[2] = previous[1];
    previous[1] = previous[0];
    previous[0] = key;
    key = all = value = 0;
    wide = small = 0;
    modrm = 0;
    opcode = 0;
    field = kOpcode;
  }
  void immediate() {
    const uint32_t kind = traits & x86::kSizeMask;
    disp_left = 0;
    imm_left = static_cast<uint8_t>(kind);
    imm = kImm8Byte;
    if (kind >= x86::kImm16) imm = kImm;
    if (kind == x86::kImm32) {
      imm_left = small ? 2 : 4;
      if (traits & x86::kRelative) imm = kCall, imm_left = 4;
    }
  }
  void set_opcode(uint8_t t) {
    traits = t;
    immediate();
    if (traits & x86::kModRm)
      field = kModRmByte;
    else
      operand();
  }
  void step(uint8_t b) {
    all = (all + b + 1) * 0x9E3779B1U;
    if (field >= kDisp8) {
      value = (value + b + 1) * 0x2F0B4C47U;
      if (disp_left != 0) {
        disp++;
        if (--disp_left == 0) value = 0;
      } else {
        imm = static_cast<uint8_t>(imm == kImm + 3 ? imm : imm + 1);
        imm_left--;
      }
      return operand();
    }
    key = (key + b + 1) * 0x9E3779B1U;
    if (field <= kOpcodeAfterPrefix) {
      const uint8_t t = x86::kOneByte[b];
      if (t == x86::kPrefix) {
        wide = (b & 0xf8) == 0x48;
        small |= b == 0x66;
        field = kOpcodeAfterPrefix;
        return;
      }
      opcode = b;
      if (t & x86::kSpecial) {
        if (b == 0x0f) {
          field = kOpcode2;
          return;
        }
        if (b == 0xc5 || b == 0xc4 || b == 0x62) {
          field = kOpcode3;
          skip = b == 0xc5 ? 1 : b == 0xc4 ? 2 : 3;
          map = b;
          return;
        }
        if (b >= 0xf6) {
          traits = static_cast<uint8_t>(x86::kModRm | x86::kSpecial);
          field = kModRmByte;
          imm_left = disp_left = 0;
          return;
        }
        traits = x86::kImm32;
        disp_left = 0;
        imm = kImm;
        imm_left = b < 0xb8 || wide ? 8 : small ? 2 : 4;
        return operand();
      }
      return set_opcode(t);
    }
    if (field == kOpcode2) {
      opcode = static_cast<uint8_t>(b ^ 0x55);
      const uint8_t t = x86::kTwoByte[b];
      if (t == x86::kSpecial) {
        field = kOpcode3;
        skip = 0;
        map = b;
        return;
      }
      set_opcode(t);
      if ((b & 0xf0) == 0x80) imm = kJcc, imm_left = 4, field = kJcc;
      return;
    }
    if (field == kOpcode3) {
      if (skip != 0) {
        if (skip-- != 0 && map == 0xc4 && skip == 1) small = b & 31;
        return;
      }
      opcode = static_cast<uint8_t>(b ^ 0xaa);
      const uint8_t m = small;
      small = 0;
      uint8_t t = x86::kModRm;
      if (map == 0x3a || (map == 0xc4 && m == 3))
        t |= x86::kImm8;
      else if (map == 0xc5 || (map == 0xc4 && m == 1))
        t = x86::kTwoByte[b] & (x86::kModRm | x86::kImm8);
      return set_opcode(t);
    }
    if (field == kModRmByte) {
      modrm = b;
      const uint8_t mod = b >> 6, rm = b & 7;
      if (traits & x86::kSpecial) {
        traits = x86::kModRm;
        if ((b & 0x30) == 0) traits |= opcode == 0xf6 ? x86::kImm8 : x86::kImm32;
        immediate();
      }
      disp_left = 0;
      if (mod == 1) disp = kDisp8, disp_left = 1;
      if (mod == 2) disp = kDisp32, disp_left = 4;
      if (mod != 3 && rm == 4) {
        field = kSib;
        return;
      }
      if (mod == 0 && rm == 5) disp = kRip, disp_left = 4;
      return operand();
    }
    // SIB
    if (modrm < 64 && (b & 7) == 5) disp = kDisp32, disp_left = 4;
    return operand();
  }
};

inline constexpr int kInputs = 4;

struct Context {
  uint32_t h[NI];  // of literals: one context each
  uint32_t match;  // where to look for the last place like this one
  uint8_t field;   // below 32
};

inline uint32_t hash2(uint32_t a, uint32_t b) {
  a = (a ^ (b * 0x85EBCA6BU)) * 0xC2B2AE35U;
  return a ^ (a >> 15);
}

// Follows the bytes and gives the contexts of the next one.
struct Walker {
  uint8_t model = 0;
  X86Walker x86;
  uint32_t last8[2] = {0, 0};  // bytes before: last8[0] the 4 last
  uint64_t history = 0;
  uint32_t position = 0;

  void step(uint8_t b) {
    history = (history << 8) | b;
    position++;
    if (model == 1) x86.step(b);
  }
  Context context() const {
    Context c;
    const uint32_t h = static_cast<uint32_t>(history);
    if (model == 1) {
      const uint32_t f = x86.field;
      c.field = x86.field;
      c.h[0] = hash2(f, 0);
      c.h[1] = hash2(f + 11, h & 0xff);
      c.h[2] = hash2(f + 9, x86.all);
      c.h[3] = hash2(hash2(f, x86.all), x86.previous[0]);
      c.h[4] = hash2(hash2(f + 7, x86.all), x86.previous[0] * 3 + x86.previous[1]);
      c.match =
          hash2(hash2(f + 7, x86.all), x86.previous[0] * 3 + x86.previous[1] * 5 + x86.previous[2]);
    } else if (model == 4) {
      const uint32_t k = position & 7;
      c.field = static_cast<uint8_t>(k);
      c.h[0] = hash2(k, 0);
      c.h[1] = hash2(k + 8, h & 0xff);
      c.h[2] = hash2(k + 24, static_cast<uint32_t>(history >> 56));
      c.h[3] = hash2(k + 16, h & 0xffff);
      c.h[4] = hash2(k + 32, h & 0xffffff);
      c.match = hash2(h, 0);
    } else if (model == 2) {
      const uint32_t k = position & 3;
      c.field = static_cast<uint8_t>(k);
      c.h[0] = hash2(k, h & ((1U << (8 * k)) - 1));
      c.h[1] = hash2(hash2(k + 8, h & ((1U << (8 * k)) - 1)),
                     static_cast<uint32_t>(history >> (8 * k)) & 0xff800000);
      c.h[2] = hash2(hash2(k + 16, h & ((1U << (8 * k)) - 1)),
                     static_cast<uint32_t>(history >> (8 * k)));
      c.h[3] = hash2(k + 24, h & 0xffff);
      c.h[4] = hash2(k + 32, h & 0xff);
      c.match =
          hash2(k, static_cast<uint32_t>(history)) + static_cast<uint32_t>(history >> 32) * 77777;
    } else {
      c.field = 0;
      c.h[0] = hash2(0, 0);
      c.h[1] = hash2(8, h & 0xff);
      c.h[2] = hash2(24, static_cast<uint32_t>(history >> 8) & 0xff);
      c.h[3] = hash2(16, h & 0xffff);
      c.h[4] = hash2(32, h & 0xffffff);
      c.match = hash2(h, 0);
    }
    return c;
  }
};

#ifndef LS
#define LS 14
#define CS 12
#endif
inline constexpr uint32_t kLiteralSlots = 1U << LS, kCommandSlots = 1U << CS, kRecent = 1U << 16;
inline constexpr uint32_t kReps = 4, kModels = 5;

enum Command : uint32_t { kLiteral = 0, kMatch = 1, kPredicted = 2, kRep = 3 };  // kRep + 0..3

struct MixWorkspace {
  Nibble literal[NI][kLiteralSlots];
  Nibble command[3][kCommandSlots];
  Nibble length[4 * 32], length_more[4], length_high[4];
  Nibble distance_high[8 * 32], distance_low[2][16], distance_align[16];
  Nibble even;
  Weights literal_weights[2 * 32 * 64];
  Weights command_weights[32 * 64];
  uint32_t recent[kRecent];
};

inline uint32_t level_of(const Nibble& m) {
  const uint32_t c = m.lane[0] & 31;
  return (c > 0) + (c > 2) + (c > 12);
}

#ifndef START
#define START 0
#endif
#ifndef L0
#define L0 30
#endif
#ifndef L1
#define L1 26
#endif
#ifndef L2
#define L2 22
#endif
#ifndef L3
#define L3 30
#endif

// What of the past decides the next command: the commands before and the distances.
struct Past {
  uint32_t reps[kReps] = {1, 1, 1, 1};
  uint32_t history = 0;  // 2 bits a command, the last one lowest: literal, match, predicted, rep
};

// Codes by way of `Coder`: unsigned code(const Cdf&, unsigned symbol), raw(value, bits). An encoder
// takes the symbol given; a decoder ignores it. Both return the symbol.
template <class Coder>
struct MixModel {
  MixWorkspace& w;
  Coder& coder;

  template <int n>
  uint32_t mixed(Nibble* const (&in)[n], Weights& weights, const uint32_t (&limits)[n],
                 uint32_t symbol) {
    Cdf cdf;
    mix(in, weights, cdf);
    symbol = coder.code(cdf, symbol);
    learn_weights(weights, in, symbol, cdf.start[symbol + 1] - cdf.start[symbol]);
#ifndef NOINHERIT
    for (int i = 0; i < n; i++) {
      if ((in[i]->lane[0] & 31) == 0) {
        const uint32_t check = in[i]->lane[0];
        for (uint32_t k = 0; k < 16; k++) in[i]->lane[k] = static_cast<uint16_t>(cdf.start[k] - k);
        in[i]->lane[0] = static_cast<uint16_t>(check | START);
      }
    }
#endif
    for (int i = 0; i < n; i++) learn(*in[i], symbol, limits[i]);
    return symbol;
  }
  uint32_t single(Nibble& m, uint32_t limit, uint32_t symbol) {
    Nibble* in[1] = {&m};
    Cdf cdf;
    const Weights all{{65535}};
    mix(in, all, cdf);
    symbol = coder.code(cdf, symbol);
    learn(m, symbol, limit);
    return symbol;
  }

  // High nibble: inputs[i] and weights by context; low: given the high one.
  static uint32_t guess_context(const Past& past, uint32_t guess, uint32_t field) {
    const uint32_t state = (past.history & 3) != 0 ? 1 : (past.history & 15) != 0 ? 2 : 3;
    (void)field;
    return hash2(guess, state);
  }
  struct LiteralSet {
    Nibble* in[NI];
    Weights* weights;
  };
  Nibble* slot(Nibble* table, uint32_t h, uint32_t mask) {
#ifdef CHECK
    const uint32_t check = (h >> 20) << 5 & 0xffff;
    Nibble* a = &table[h & mask];
    if ((a->lane[0] & ~31U) == check) return a;
#if CHECK > 1
    Nibble* b = &table[(h & mask) ^ 1];
    if ((b->lane[0] & ~31U) == check) return b;
    if ((b->lane[0] & 31) < (a->lane[0] & 31)) a = b;
#endif
    if (!Coder::kUpdate) return &w.even;
    *a = w.even;
    a->lane[0] = static_cast<uint16_t>(check);
    return a;
#else
    return &table[h & mask];
#endif
  }
  LiteralSet literal_set(const Context& c, uint32_t guess_hash,
                         uint32_t high) {  // high: 16 for none
    LiteralSet s;
    const uint32_t mask = kLiteralSlots - 1;
    const uint32_t more = high == 16 ? 0 : (high + 1) * 0x9E3779B1U;
    for (int i = 0; i < NI - 1; i++) {
      uint32_t h = c.h[i] + more;
      h ^= h >> 14;
      s.in[i] = slot(w.literal[i], h, mask);
    }
    uint32_t h = guess_hash + more;
    h ^= h >> 14;
    s.in[NI - 1] = slot(w.literal[NI - 1], h, mask);
    s.weights = &w.literal_weights[(((high == 16) * 32U + c.field) * 4 + level_of(*s.in[3])) * 16 +
                                   level_of(*s.in[4]) * 4 + level_of(*s.in[NI - 1])];
    return s;
  }
  uint8_t literal(const Context& c, const Past& past, uint32_t guess, uint32_t byte) {
    uint32_t limits[NI];
    for (int i = 0; i < NI; i++) limits[i] = L1;
    limits[0] = limits[NI - 1] = L0;
    const uint32_t g = guess_context(past, guess, c.field);
    LiteralSet s = literal_set(c, g, 16);
    const uint32_t high = mixed(s.in, *s.weights, limits, byte >> 4);
    s = literal_set(c, g, high);
    const uint32_t low = mixed(s.in, *s.weights, limits, byte & 15);
    return static_cast<uint8_t>(high * 16 + low);
  }

  struct CommandSet {
    Nibble* in[3];
    Weights* weights;
  };
  CommandSet command_set(const Context& c, const Past& past, uint32_t prediction) {
    CommandSet s;
    const uint32_t mask = kCommandSlots - 1;
    s.in[0] = &w.command[0][hash2(c.field, past.history & 0xfff) & mask];
    s.in[1] = &w.command[1][hash2(c.h[1], past.history & 3) & mask];
    s.in[2] = &w.command[2][hash2(prediction * 32 + c.field, past.history & 15) & mask];
    s.weights = &w.command_weights[c.field * 64 + level_of(*s.in[0]) * 16 + level_of(*s.in[1]) * 4 +
                                   level_of(*s.in[2])];
    return s;
  }
  uint32_t command(const Context& c, const Past& past, uint32_t prediction, uint32_t symbol) {
    constexpr uint32_t limits[3] = {31, 26, 31};
    CommandSet s = command_set(c, past, prediction);
    return mixed(s.in, *s.weights, limits, symbol);
  }

  static uint32_t length_class(uint32_t command) {
    return command < kRep ? command - 1 : command == kRep ? 2 : 3;
  }
  uint32_t length(uint32_t kind, uint32_t field, uint32_t value) {  // from 1
    const uint32_t k = length_class(kind);
    const uint32_t v = value - 1;
    uint32_t symbol = single(w.length[k * 32 + field], 31, v < 15 ? v : 15);
    if (symbol < 15) return symbol + 1;
    uint32_t more = single(w.length_more[k], 31, v - 15 < 15 ? v - 15 : 15);
    if (more < 15) return more + 16;
    const uint32_t rest = v - 29;  // from 1
    uint32_t bits =
        single(w.length_high[k], 31, static_cast<uint32_t>(31 - __builtin_clz(rest | 1)) & 15);
    return coder.raw(rest - (1U << bits), bits) + (1U << bits) + 30;
  }
  static uint32_t distance_context(uint32_t len, uint32_t field) {
    return (len < 8 ? len - 1 : 7) * 32 + field;
  }
  uint32_t distance(uint32_t context, uint32_t value) {  // from 1
    const uint32_t lg = static_cast<uint32_t>(31 - __builtin_clz(value | 1));
    const uint32_t high = single(w.distance_high[context], 31, lg >> 1);
    if (high == 0) return single(w.distance_low[0][0], 31, value);
    const uint32_t shift = 2 * high - 2;
    const uint32_t low = single(w.distance_low[0][high], 31, (value >> shift) & 15);
    uint32_t result = low << shift;
    if (shift == 0) return result;
    uint32_t bits = shift;
    if (bits > 4) {
      const uint32_t part = bits - 4;
      const uint32_t middle = (value >> 4) & ((1U << part) - 1);
      if (part > 12) {
        result |= coder.raw(middle >> 12, part - 12) << 16;
        result |= coder.raw(middle & 4095, 12) << 4;
      } else {
        result |= coder.raw(middle, part) << 4;
      }
    }
    return result | single(w.distance_align[high], 31, value & (bits > 4 ? 15 : (1U << bits) - 1));
  }
};

inline void remember(Past& past, uint32_t command, uint32_t distance) {
  if (command == kLiteral) {
    past.history = past.history << 2;
    return;
  }
  past.history = (past.history << 2) | (command < kRep ? command : 3);
  uint32_t i = command < kRep ? kReps - 1 : command - kRep;
  for (; i > 0; i--) past.reps[i] = past.reps[i - 1];
  past.reps[0] = distance;
}

// How well the place `distance` before `at` fits: bytes that agree before it, and with the last
// match.
inline uint32_t prediction_of(const uint8_t* raw, size_t at, uint32_t distance, const Past& past) {
  if (distance == 0) return 0;
#ifdef NOPRED
  return 0;
#endif
  const size_t from = at - distance;
  uint32_t equal = 0;
  while (equal < 16 && equal < from && raw[from - 1 - equal] == raw[at - 1 - equal]) equal++;
  const bool same = distance == past.reps[0];
  const bool agree = past.reps[0] <= at && raw[at - past.reps[0]] == raw[from];
  return 1 + equal + 17 * (same ? 2 : agree ? 1 : 0);
}

inline void prepare(MixWorkspace& w) {
  Nibble even{};
  for (uint32_t k = 1; k < 16; k++) even.lane[k] = static_cast<uint16_t>(k * (kFull / 16));
  Nibble* m = &w.literal[0][0];
  const size_t count =
      (reinterpret_cast<uint8_t*>(w.literal_weights) - reinterpret_cast<uint8_t*>(m)) /
      sizeof(Nibble);
  for (size_t i = 0; i < count; i++) m[i] = even;
  for (Weights& x : w.literal_weights) {
    x = {};
    x.w[0] = 65535 - (NI - 1) * (65536 / NI);
    for (int i = 1; i < NI; i++) x.w[i] = 65536 / NI;
  }
  for (Weights& x : w.command_weights) x = {{21845, 21845, 21845, 0}};
  __builtin_memset(w.recent, 0, sizeof w.recent);
}

inline constexpr uint32_t kBlockCommands = 1U << 18;

}  // namespace whittle::stub
