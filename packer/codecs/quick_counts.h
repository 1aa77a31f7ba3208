// SPDX-License-Identifier: MIT
//
// The statistics of codec quick (stub/codecs/quick_decoder.h): what symbols a block has, the
// distribution that suits them, and what that makes things cost, in 256ths of a bit (kPriceOne).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "common/bytes.h"
#include "packer/stub/codecs/quick_decoder.h"

namespace whittle::packer {

// Literals and a copy. Behind the last copy there may be literals alone.
struct QuickSequence {
  std::uint32_t run;     // literals
  std::uint32_t offset;  // as it is coded (stub::kQuickOffset)
  std::uint32_t length;  // bytes copied; 0: there is no copy
};

inline stub::QuickTable quick_length_table(std::uint32_t offset) {
  return offset < stub::kQuickReps ? stub::kQuickRepeatLength : stub::kQuickLength;
}

// How a number is coded.
struct QuickNumber {
  std::uint32_t symbol;
  std::uint32_t bits;  // how many plain ones follow
  std::uint32_t rest;  // these
};
QuickNumber quick_number(std::uint32_t value);

// The shares of each symbol.
using QuickDistribution = std::array<std::uint16_t, 256>;

// How a symbol with shares is written, in the order of symbols.
struct QuickShares {
  std::uint32_t skipped;     // symbols before it that have none
  std::uint32_t difference;  // of `bits` from the last symbol's, by stub::zigzag
  std::uint32_t bits;        // of the number of shares, below the highest
  std::uint32_t rest;        // these
};
std::vector<QuickShares> quick_shares(const QuickDistribution& sizes);

struct QuickCounts {
  std::array<std::array<std::uint32_t, 256>, stub::kQuickTables> symbols{};
  std::uint64_t plain_bits = 0;

  // Counts a sequence; `literals` are its first bytes.
  void add(const QuickSequence& sequence, const std::uint8_t* literals);
  QuickCounts& operator+=(const QuickCounts& other);

  // Shares as near to the counts as can be; none for what does not occur. All of them for the first
  // symbol if nothing occurs.
  QuickDistribution distribution(stub::QuickTable table) const;
  // Of a block, with all that it has beside its sequences.
  std::uint64_t price() const;

 private:
  void add_number(stub::QuickTable table, std::uint32_t value);
};

class QuickPrices {
 public:
  explicit QuickPrices(const QuickCounts& counts);

  std::uint32_t literal(std::uint8_t byte) const { return prices_[stub::kQuickLiteral][byte]; }
  std::uint32_t number(stub::QuickTable table, std::uint32_t value) const;

 private:
  std::array<std::array<std::uint16_t, 256>, stub::kQuickTables> prices_;
};

}  // namespace whittle::packer
