// SPDX-License-Identifier: MIT
//
// NIBBLE_DOC
#pragma once

#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace whittle::stub {

inline constexpr uint32_t kScaleBits = 15;
inline constexpr uint32_t kScale = 1U << kScaleBits;
inline constexpr uint32_t kFull = kScale - 16;  // what the shares of a model add up to

// An adaptive distribution of a 4-bit symbol. lane[k], k from 1: share of the symbols below k;
// lane[0]: how often it was updated (5 bits, up to a limit), and the tag of its context.
struct alignas(16) Nibble {
  uint16_t lane[16];
};
inline constexpr uint32_t kCountMask = 31;

inline constexpr uint32_t kMaxInputs = 4;

struct alignas(8) Weights {
  uint16_t w[kMaxInputs];  // the first n add up to 65535
};

// What n models say together.
struct alignas(16) Mixture {
  uint16_t plain[16];  // as in a Nibble
  uint16_t start[24];  // of kScale, none empty
};

// A model on its way into a mixture.
struct Input {
  const Nibble* from;  // what it says
  Nibble* slot;        // where it learns
  uint32_t tag;        // of the context
  bool fresh;          // the slot belonged to another context
};

// A step towards the truth, of 65536, by the count of steps before.
inline constexpr uint16_t kRates[32] = {
    32767, 27000, 19000, 15000, 12500, 10600, 9200, 8200, 7300, 6600, 6050,
    5570,  5160,  4800,  4500,  4200,  3980,  3750, 3550, 3370, 3200, 3060,
    2920,  2800,  2680,  2570,  2470,  2380,  2300, 2220, 2150, 2080};

template <uint32_t n>
inline void mix(const Input (&in)[n], const Weights& weights, Mixture& out) {
#ifdef __SSE2__
  __m128i low = _mm_setzero_si128(), high = low;
  const __m128i all = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(weights.w));
  const __m128i pairs = _mm_unpacklo_epi16(all, all);
#pragma GCC unroll 4
  for (uint32_t i = 0; i < n; i++) {
    const __m128i w = i == 0   ? _mm_shuffle_epi32(pairs, 0x00)
                      : i == 1 ? _mm_shuffle_epi32(pairs, 0x55)
                      : i == 2 ? _mm_shuffle_epi32(pairs, 0xaa)
                               : _mm_shuffle_epi32(pairs, 0xff);
    const __m128i* p = reinterpret_cast<const __m128i*>(in[i].from->lane);
    low = _mm_add_epi16(low, _mm_mulhi_epu16(_mm_load_si128(p), w));
    high = _mm_add_epi16(high, _mm_mulhi_epu16(_mm_load_si128(p + 1), w));
  }
  low = _mm_and_si128(low, _mm_setr_epi16(0, -1, -1, -1, -1, -1, -1, -1));
  __m128i* plain = reinterpret_cast<__m128i*>(out.plain);
  __m128i* start = reinterpret_cast<__m128i*>(out.start);
  _mm_store_si128(start, _mm_add_epi16(low, _mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7)));
  _mm_store_si128(start + 1, _mm_add_epi16(high, _mm_setr_epi16(8, 9, 10, 11, 12, 13, 14, 15)));
  _mm_store_si128(plain, low);
  _mm_store_si128(plain + 1, high);
#else
  out.start[0] = out.plain[0] = 0;
  for (uint32_t k = 1; k < 16; k++) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
      sum += (uint32_t{in[i].from->lane[k]} * weights.w[i]) >> 16;
    }
    out.plain[k] = static_cast<uint16_t>(sum);
    out.start[k] = static_cast<uint16_t>(sum + k);
  }
#endif
  out.start[16] = kScale;
}

// The symbol whose range holds `value`, below kScale.
inline uint32_t find(const Mixture& mixture, uint32_t value) {
#ifdef __SSE2__
  const __m128i v = _mm_set1_epi16(static_cast<short>(value));
  const __m128i* p = reinterpret_cast<const __m128i*>(mixture.start);
  const __m128i above = _mm_packs_epi16(_mm_cmpgt_epi16(_mm_load_si128(p), v),
                                        _mm_cmpgt_epi16(_mm_load_si128(p + 1), v));
  const auto bits = static_cast<uint32_t>(_mm_movemask_epi8(above));
  return static_cast<uint32_t>(__builtin_ctz(bits | 0x10000)) - 1;
#else
  uint32_t symbol = 0;
  for (uint32_t k = 1; k < 16; k++) symbol += mixture.start[k] <= value;
  return symbol;
#endif
}

inline uint32_t share(const Nibble& m, uint32_t symbol) {
  const uint32_t from = symbol == 0 ? 0 : m.lane[symbol];
  const uint32_t to = symbol == 15 ? kFull : m.lane[(symbol + 1) & 15];
  return to - from;
}

// `base` moves towards `symbol` and becomes `to`.
inline void learn(const uint16_t* base, uint32_t count, Nibble& to, uint32_t tag, uint32_t symbol,
                  uint32_t limit) {
#ifdef __SSE2__
  const __m128i* p = reinterpret_cast<const __m128i*>(base);
  __m128i* q = reinterpret_cast<__m128i*>(to.lane);
  const __m128i s = _mm_set1_epi16(static_cast<short>(symbol));
  const __m128i full = _mm_set1_epi16(static_cast<short>(kFull));
  const __m128i rate = _mm_set1_epi16(static_cast<short>(kRates[count]));
  const __m128i low = _mm_load_si128(p), high = _mm_load_si128(p + 1);
  const __m128i to_low =
      _mm_and_si128(full, _mm_cmpgt_epi16(_mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7), s));
  const __m128i to_high =
      _mm_and_si128(full, _mm_cmpgt_epi16(_mm_setr_epi16(8, 9, 10, 11, 12, 13, 14, 15), s));
  // The first lane goes in before the store: a narrow store would delay the next wide load.
  const __m128i next = _mm_add_epi16(low, _mm_mulhi_epi16(_mm_sub_epi16(to_low, low), rate));
  _mm_store_si128(q, _mm_insert_epi16(next, static_cast<short>(tag | (count + (count < limit))), 0));
  _mm_store_si128(q + 1, _mm_add_epi16(high, _mm_mulhi_epi16(_mm_sub_epi16(to_high, high), rate)));
#else
  const int32_t rate = kRates[count];
  for (uint32_t k = 1; k < 16; k++) {
    const int32_t target = k > symbol ? kFull : 0;
    to.lane[k] = static_cast<uint16_t>(base[k] + (((target - base[k]) * rate) >> 16));
  }
  to.lane[0] = static_cast<uint16_t>(tag | (count + (count < limit)));
#endif
}

#ifndef MIXRATE
#define MIXRATE 3
#endif
// Weights move towards the share that each input had in what was said of the symbol: one step of
// expectation maximization.
template <uint32_t n>
inline void learn_weights(Weights& weights, const Input (&in)[n], uint32_t symbol, uint32_t size) {
  const uint64_t inverse = 0x7fffffffU / (size + n - 1);  // the parts of `size` are rounded down
  uint32_t rest = 65535;
  uint16_t next_w[kMaxInputs] = {};
#pragma GCC unroll 4
  for (uint32_t i = 0; i + 1 < n; i++) {
    const uint32_t w = weights.w[i];
    const auto posterior = static_cast<int32_t>((w * share(*in[i].from, symbol) * inverse) >> 31);
    int32_t next = static_cast<int32_t>(w);
    next += (posterior - next) >> MIXRATE;
    next += (static_cast<int32_t>(65536 / n) - next) >> 9;
    next_w[i] = static_cast<uint16_t>(next);
    rest -= static_cast<uint32_t>(next);
  }
  next_w[n - 1] = static_cast<uint16_t>(rest);
  // One store: narrow ones would delay the next wide load.
  const uint64_t together = next_w[0] | uint64_t{next_w[1]} << 16 | uint64_t{next_w[2]} << 32 |
                            uint64_t{next_w[3]} << 48;
  __builtin_memcpy(weights.w, &together, 8);
}

}  // namespace whittle::stub
