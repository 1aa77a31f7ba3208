// SPDX-License-Identifier: MIT
//
// From counts to states (4.1.1).
//
// Symbols "less than one" get one state each, from the end of the table downwards. The others are
// dealt out with a stride that is odd, so prime to the table's size: it comes by every place once
// and leaves a symbol's states well apart. Then a symbol with n states numbers them n to 2n-1 in
// the order of the table (`rank`). A state reads as many bits as its rank must be shifted by to
// reach the table's size, and the shifted rank, less that size, is the first of the states these
// bits choose from: together the symbol's n states can go on to each state of the table, once.
#include "packer/stub/codecs/zstd_fse.h"

namespace whittle::stub {
namespace {

// Bits from `bit` on, at least 25 of them; zeros follow the end of the input.
[[gnu::noinline]] uint32_t peek_bits(const Input& in, size_t bit) {
  uint32_t value = 0;
  const size_t byte = bit >> 3;
  for (size_t i = 0; i < 4 && byte + i < in.size(); ++i) {
    value |= uint32_t{in.begin[byte + i]} << (8 * i);
  }
  return value >> (bit & 7);
}

}  // namespace

bool read_fse_counts(Input& in, int max_log, unsigned max_symbols, int16_t* counts,
                     unsigned* symbols, int* log) {
  size_t bit = 0;
  *log = static_cast<int>(peek_bits(in, bit) & 15) + 5;
  bit = 4;
  if (*log > max_log) return false;

  int remaining = 1 << *log;
  unsigned symbol = 0;
  while (remaining > 0) {
    if (symbol == max_symbols) return false;
    // A value in 0..remaining+1: the smaller ones take one bit less.
    const int bits = highest_bit(static_cast<uint32_t>(remaining + 1)) + 1;
    const int low_mask = (1 << (bits - 1)) - 1;
    const int short_values = (1 << bits) - 2 - remaining;
    int value = static_cast<int>(peek_bits(in, bit)) & ((1 << bits) - 1);
    bit += static_cast<unsigned>(bits);
    if ((value & low_mask) < short_values) {
      value &= low_mask;
      --bit;
    } else if (value > low_mask) {
      value -= short_values;
    }
    const int count = value - 1;  // -1 stands for "less than one": one state, always a full reset
    remaining -= count < 0 ? 1 : count;
    counts[symbol++] = static_cast<int16_t>(count);
    if (count != 0) continue;
    for (unsigned repeat = 3; repeat == 3;) {
      repeat = peek_bits(in, bit) & 3;
      bit += 2;
      if (repeat > max_symbols - symbol) return false;
      for (unsigned i = 0; i < repeat; ++i) counts[symbol++] = 0;
    }
    if (bit > in.size() * 8) return false;
  }
  const size_t used = (bit + 7) >> 3;
  if (used > in.size()) return false;
  in.begin += used;
  *symbols = symbol;
  return true;
}

void build_fse_states(ZstdFseEntry* table, int log, int16_t* counts, unsigned symbols) {
  const unsigned size = 1u << log;
  unsigned high = size;
  for (unsigned s = 0; s < symbols; ++s) {
    if (counts[s] < 0) {
      table[--high].base = s;
      counts[s] = 1;
    } else if (counts[s] == 0) {
      continue;
    } else {
      counts[s] = static_cast<int16_t>(-counts[s]);  // to be spread
    }
  }
  const unsigned step = (size >> 1) + (size >> 3) + 3;
  unsigned position = 0;
  for (unsigned s = 0; s < symbols; ++s) {
    if (counts[s] >= 0) continue;
    const int count = -counts[s];
    counts[s] = static_cast<int16_t>(count);
    for (int i = 0; i < count; ++i) {
      table[position].base = s;
      do position = (position + step) & (size - 1);
      while (position >= high);
    }
  }
  for (unsigned i = 0; i < size; ++i) {
    ZstdFseEntry& entry = table[i];
    const auto rank = static_cast<uint32_t>(counts[entry.base]++);
    const int bits = log - highest_bit(rank);
    entry.state_bits = static_cast<uint8_t>(bits);
    entry.next = static_cast<uint16_t>((rank << bits) - size);
  }
}

}  // namespace whittle::stub
