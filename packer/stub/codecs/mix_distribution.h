// SPDX-License-Identifier: MIT
//
// Adaptive models of 4-bit symbols, and mixtures of two of them.
//
// A model holds a distribution as 15 cumulative shares in 16-bit lanes, so that all lanes move at
// once towards the symbol seen; a binary coder would need four dependent steps for the same. Young
// models move fast (1/2, 2/5, 2/7 ...), old ones slowly.
//
// Two contexts have an opinion, one of them more specific than the other. A model of the specific
// one begins as a copy of the general one's, and the more it has seen, the more it weighs: by fixed
// weights. More contexts with learned weights pack 5 % better and take twice as long. All this is
// additions and high halves of products, the same integers on every machine, by SSE2 where there is
// SSE2.
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
// lane[0]: how often it was updated (7 bits, up to a limit), and the tag of its context.
struct alignas(16) Distribution {
  uint16_t lane[16];
};
inline constexpr uint32_t kCountMask = 127;
inline constexpr uint32_t kLimit = 120;  // of the counts

// What both models say together: start[k] is the share of the symbols below k, of kScale; no symbol
// has none.
struct alignas(16) Mixture {
  uint16_t start[24];
  uint32_t size(uint32_t symbol) const {
    return static_cast<uint32_t>(start[symbol + 1] - start[symbol]);
  }
};

// `a`, or `b` where `choose_b` is 1. Compilers would branch, and nobody could predict it.
template <typename T>
inline T select(T a, T b, uint32_t choose_b) {
#ifdef __x86_64__
  asm("test %2, %2\n\tcmovne %1, %0" : "+r"(a) : "r"(b), "r"(choose_b) : "cc");
  return a;
#else
  uintptr_t from = 0, to = 0;
  __builtin_memcpy(&from, &a, sizeof a);
  __builtin_memcpy(&to, &b, sizeof b);
  from ^= (from ^ to) & -uintptr_t{choose_b};
  __builtin_memcpy(&a, &from, sizeof a);
  return a;
#endif
}

// A model on its way into a mixture.
struct MixInput {
  const Distribution* from;  // what it says
  Distribution* slot;        // where it learns
  uint32_t head;             // lane[0] of the slot, or what it begins with there
};

// What learning needs, in all lanes.
struct alignas(16) Steps {
  Distribution target[16];           // the distribution that one symbol has for itself
  uint16_t rate[kCountMask + 1][8];  // a step towards it, of 65536, by the count of steps before
};

#ifdef __SSE2__
inline __m128i numbers(int from) {
  return _mm_add_epi16(_mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7),
                       _mm_set1_epi16(static_cast<short>(from)));
}
#endif

// `weight` is that of b, of 65536; a has the rest.
inline __attribute__((always_inline)) void mix(Mixture& out, uint32_t weight, const Distribution& a,
                                               const Distribution& b) {
#ifdef __SSE2__
  const __m128i w = _mm_set1_epi16(static_cast<short>(weight));
  const __m128i v = _mm_xor_si128(w, _mm_set1_epi16(-1));
  const __m128i* p = reinterpret_cast<const __m128i*>(a.lane);
  const __m128i* q = reinterpret_cast<const __m128i*>(b.lane);
  const auto part = [&](int i) __attribute__((always_inline)) {
    const __m128i x = _mm_mulhi_epu16(_mm_load_si128(p + i), v);
    const __m128i y = _mm_mulhi_epu16(_mm_load_si128(q + i), w);
    return _mm_add_epi16(_mm_add_epi16(numbers(8 * i), x), y);
  };
  __m128i* start = reinterpret_cast<__m128i*>(out.start);
  _mm_store_si128(start, _mm_and_si128(part(0), _mm_setr_epi16(0, -1, -1, -1, -1, -1, -1, -1)));
  _mm_store_si128(start + 1, part(1));
#else
  for (uint32_t k = 1; k < 16; k++) {
    out.start[k] = static_cast<uint16_t>(k + ((a.lane[k] * (65535 - weight)) >> 16) +
                                         ((b.lane[k] * weight) >> 16));
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

// Moves the model of the input towards `symbol`.
inline __attribute__((always_inline)) void learn(const Steps& steps, uint32_t symbol,
                                                 const MixInput& input) {
  const uint32_t count = input.head & kCountMask;
  const uint32_t head = input.head + (count < kLimit);
  const Distribution& target = steps.target[symbol];
#ifdef __SSE2__
  const __m128i* t = reinterpret_cast<const __m128i*>(target.lane);
  const __m128i* p = reinterpret_cast<const __m128i*>(input.from->lane);
  __m128i* q = reinterpret_cast<__m128i*>(input.slot->lane);
  const __m128i rate = _mm_load_si128(reinterpret_cast<const __m128i*>(steps.rate[count]));
  const auto part = [&](int i) __attribute__((always_inline)) {
    const __m128i x = _mm_load_si128(p + i);
    return _mm_add_epi16(x, _mm_mulhi_epi16(_mm_sub_epi16(_mm_load_si128(t + i), x), rate));
  };
  const __m128i low = part(0), high = part(1);
  // The first lane goes in before the store: a narrow store would delay the next wide load.
  _mm_store_si128(q, _mm_insert_epi16(low, static_cast<short>(head), 0));
  _mm_store_si128(q + 1, high);
#else
  const int32_t rate = steps.rate[count][0];
  for (uint32_t k = 1; k < 16; k++) {
    const int32_t lane = input.from->lane[k];
    input.slot->lane[k] = static_cast<uint16_t>(lane + (((target.lane[k] - lane) * rate) >> 16));
  }
  input.slot->lane[0] = static_cast<uint16_t>(head);
#endif
}

}  // namespace whittle::stub
