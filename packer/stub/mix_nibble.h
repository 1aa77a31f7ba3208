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
  uint16_t w[kMaxInputs];  // of the inputs, at most 65535 together; 0 behind the last
};

// What several models say together: start[k] is the share of the symbols below k, of kScale; no
// symbol has none.
struct alignas(16) Mixture {
  uint16_t start[24];
  uint32_t size(uint32_t symbol) const {
    return static_cast<uint32_t>(start[symbol + 1] - start[symbol]);
  }
};

// `a`, or `b` where `choose_b` is 1. Compilers would branch, and nobody could predict it.
template <typename T>
inline const T* select(const T* a, const T* b, uint32_t choose_b) {
  const auto from = reinterpret_cast<uintptr_t>(a), to = reinterpret_cast<uintptr_t>(b);
  return reinterpret_cast<const T*>(from ^ ((from ^ to) & -uintptr_t{choose_b}));
}

// A model on its way into a mixture.
struct Input {
  const Nibble* from;  // what it says
  Nibble* slot;        // where it learns
  uint32_t head;       // lane[0] of the slot, or the tag where it belonged to another context

  // How much the model has seen: 0, 1..2, 3..12 or more updates.
  uint32_t level() const {
    constexpr uint64_t kLevels = 0xffff'ffff'feaa'aa94;  // 2 bits a count
    return static_cast<uint32_t>(kLevels >> (2 * (head & kCountMask))) & 3;
  }
};

// A step towards the truth, of 65536, by the count of steps before.
inline constexpr uint16_t kRates[32] = {32767, 27000, 19000, 15000, 12500, 10600, 9200, 8200,
                                        7300,  6600,  6050,  5570,  5160,  4800,  4500, 4200,
                                        3980,  3750,  3550,  3370,  3200,  3060,  2920, 2800,
                                        2680,  2570,  2470,  2380,  2300,  2220,  2150, 2080};

#ifdef __SSE2__
inline __m128i numbers(int from) {
  return _mm_add_epi16(_mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7), _mm_set1_epi16(static_cast<short>(from)));
}
#endif

// Every input is one argument, and not an element of an array, so that compilers keep it in registers.
template <typename... In>
inline void mix(Mixture& out, const Weights& weights, const In&... in) {
#ifdef __SSE2__
  __m128i low = numbers(0), high = numbers(8);
  const __m128i all = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(weights.w));
  __m128i w = _mm_unpacklo_epi16(all, all);
  const auto add = [&](const Nibble& m) __attribute__((always_inline)) {
    const __m128i* p = reinterpret_cast<const __m128i*>(m.lane);
    const __m128i same = _mm_shuffle_epi32(w, 0);
    low = _mm_add_epi16(low, _mm_mulhi_epu16(_mm_load_si128(p), same));
    high = _mm_add_epi16(high, _mm_mulhi_epu16(_mm_load_si128(p + 1), same));
    w = _mm_srli_si128(w, 4);
  };
  (add(*in.from), ...);
  __m128i* start = reinterpret_cast<__m128i*>(out.start);
  _mm_store_si128(start, _mm_and_si128(low, _mm_setr_epi16(0, -1, -1, -1, -1, -1, -1, -1)));
  _mm_store_si128(start + 1, high);
#else
  for (uint32_t k = 1; k < 16; k++) {
    uint32_t sum = k, i = 0;
    ((sum += (uint32_t{in.from->lane[k]} * weights.w[i++]) >> 16), ...);
    out.start[k] = static_cast<uint16_t>(sum);
  }
  out.start[0] = 0;
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
  const uint32_t from = m.lane[symbol] & -uint32_t{symbol != 0};
  const uint32_t last = symbol == 15;
  const uint32_t to = m.lane[(symbol + 1) & 15];
  return to + ((kFull - to) & -last) - from;
}

// Moves the models of the inputs towards `symbol`.
template <typename... In>
inline void learn(uint32_t symbol, uint32_t limit, const In&... in) {
#ifdef __SSE2__
  const __m128i s = _mm_set1_epi16(static_cast<short>(symbol));
  const __m128i full = _mm_set1_epi16(static_cast<short>(kFull));
  const __m128i to_low = _mm_and_si128(full, _mm_cmpgt_epi16(numbers(0), s));
  const __m128i to_high = _mm_and_si128(full, _mm_cmpgt_epi16(numbers(8), s));
#endif
  const auto one = [&](const Input& input) __attribute__((always_inline)) {
    const uint32_t count = input.head & kCountMask;
    const uint32_t head = input.head + (count < limit);
#ifdef __SSE2__
    const __m128i* p = reinterpret_cast<const __m128i*>(input.from->lane);
    __m128i* q = reinterpret_cast<__m128i*>(input.slot->lane);
    const __m128i rate = _mm_set1_epi16(static_cast<short>(kRates[count]));
    const __m128i low = _mm_load_si128(p), high = _mm_load_si128(p + 1);
    // The first lane goes in before the store: a narrow store would delay the next wide load.
    const __m128i next = _mm_add_epi16(low, _mm_mulhi_epi16(_mm_sub_epi16(to_low, low), rate));
    _mm_store_si128(q, _mm_insert_epi16(next, static_cast<short>(head), 0));
    _mm_store_si128(q + 1, _mm_add_epi16(high, _mm_mulhi_epi16(_mm_sub_epi16(to_high, high), rate)));
#else
    const int32_t rate = kRates[count];
    for (uint32_t k = 1; k < 16; k++) {
      const int32_t lane = input.from->lane[k], target = k > symbol ? kFull : 0;
      input.slot->lane[k] = static_cast<uint16_t>(lane + (((target - lane) * rate) >> 16));
    }
    input.slot->lane[0] = static_cast<uint16_t>(head);
#endif
  };
  (one(in), ...);
}

#ifndef MIXRATE
#define MIXRATE 3
#endif
// Weights move towards the share that each input had in what was said of the symbol: a step of
// expectation maximization. A 64th goes to all alike, so that none is lost for good.
template <typename... In>
inline void learn_weights(Weights& weights, uint32_t symbol, uint32_t size, const In&... in) {
  constexpr uint32_t n = sizeof...(in);
  constexpr int32_t kAlike = 65536 / 64 / n;
  const uint64_t inverse = 0x7e000000U / (size + n - 1);  // the parts of `size` are rounded down
  uint64_t packed;
  __builtin_memcpy(&packed, weights.w, 8);
  uint64_t together = 0;
  uint32_t i = 0;
  const auto one = [&](const Input& input) __attribute__((always_inline)) {
    const auto w = static_cast<uint32_t>(packed >> (16 * i)) & 0xffff;
    const auto posterior = static_cast<int32_t>((w * share(*input.from, symbol) * inverse) >> 31);
    const int32_t next =
        static_cast<int32_t>(w) + ((posterior + kAlike - static_cast<int32_t>(w)) >> MIXRATE);
    together |= static_cast<uint64_t>(static_cast<uint32_t>(next)) << (16 * i);
    i++;
  };
  (one(in), ...);
  // One store: narrow ones would delay the next wide load.
  __builtin_memcpy(weights.w, &together, 8);
}

}  // namespace whittle::stub
