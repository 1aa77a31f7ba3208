// SPDX-License-Identifier: MIT
#include "packer/codecs/quick_counts.h"

#include <bit>

#include "packer/codecs/price_table.h"
#include "packer/stub/base/zigzag.h"

namespace whittle::packer {
namespace {

using namespace stub;

constexpr std::uint32_t kBlockBits = 2 * 64 + 16;  // states and number of sequences

// Of a symbol with so many shares. One without any is as dear as half a share.
std::uint32_t price_of(std::uint32_t size) {
  constexpr std::uint32_t unit = kScale / kQuickScale;
  return kPrice.of[size == 0 ? unit / 2 : size * unit];
}

std::uint32_t gamma_bits(std::uint32_t value) {
  return 2 * static_cast<std::uint32_t>(std::bit_width(value)) - 1;
}

std::uint64_t price_of(const QuickDistribution& sizes) {
  std::uint32_t bits = 0;
  for (const QuickShares& shares : quick_shares(sizes)) {
    bits += gamma_bits(shares.skipped + 1) + gamma_bits(shares.difference + 1) + shares.bits;
  }
  return std::uint64_t{bits} * kPriceOne;
}

}  // namespace

QuickNumber quick_number(std::uint32_t value) {
  if (value < 16) return {value, 0, 0};
  const auto highest = static_cast<std::uint32_t>(std::bit_width(value)) - 1;
  const std::uint32_t bits = highest - 1;
  return {16 + 2 * (highest - 4) + (value >> bits & 1), bits, value & ((1U << bits) - 1)};
}

std::vector<QuickShares> quick_shares(const QuickDistribution& sizes) {
  std::vector<QuickShares> result;
  std::uint32_t skipped = 0, before = kQuickFirstBits;
  for (const std::uint16_t size : sizes) {
    if (size == 0) {
      skipped++;
      continue;
    }
    const auto bits = static_cast<std::uint32_t>(std::bit_width(size)) - 1;
    result.push_back({skipped, zigzag(bits - before), bits, size - (1U << bits)});
    skipped = 0;
    before = bits;
  }
  return result;
}

void QuickCounts::add_number(QuickTable table, std::uint32_t value) {
  const QuickNumber number = quick_number(value);
  symbols[table][number.symbol]++;
  plain_bits += number.bits;
}

void QuickCounts::add(const QuickSequence& sequence, const std::uint8_t* literals) {
  add_number(kQuickRun, sequence.run);
  for (std::uint32_t i = 0; i < sequence.run; i++) symbols[kQuickLiteral][literals[i]]++;
  if (sequence.length == 0) return;
  add_number(kQuickOffset, sequence.offset);
  add_number(quick_length_table(sequence.offset), sequence.length - 1);
}

QuickCounts& QuickCounts::operator+=(const QuickCounts& other) {
  for (std::size_t t = 0; t < symbols.size(); t++) {
    for (std::size_t s = 0; s < symbols[t].size(); s++) symbols[t][s] += other.symbols[t][s];
  }
  plain_bits += other.plain_bits;
  return *this;
}

QuickDistribution QuickCounts::distribution(QuickTable table) const {
  const auto& counts = symbols[table];
  std::uint64_t all = 0;
  for (const std::uint32_t count : counts) all += count;
  QuickDistribution sizes{};
  if (all == 0) {
    sizes[0] = kQuickScale;
    return sizes;
  }
  int left = kQuickScale;
  for (std::size_t s = 0; s < sizes.size(); s++) {
    if (counts[s] == 0) continue;
    const std::uint64_t rounded = (counts[s] * std::uint64_t{2 * kQuickScale} / all + 1) / 2;
    sizes[s] = static_cast<std::uint16_t>(rounded != 0 ? rounded : 1);
    left -= sizes[s];
  }
  // What rounding left goes, share by share, to where it gains most, or comes from where it costs
  // least: n symbols gain nearly n / size of a bit's price from one share more.
  for (; left != 0; left += left < 0 ? 1 : -1) {
    std::size_t best = 0;
    std::int64_t most = INT64_MIN;
    for (std::size_t s = 0; s < sizes.size(); s++) {
      if (sizes[s] == 0 || (left < 0 && sizes[s] == 1)) continue;
      const std::uint32_t after = left < 0 ? sizes[s] - 1U : sizes[s] + 1U;
      const std::int64_t gain =
          (std::int64_t{price_of(sizes[s])} - price_of(after)) * std::int64_t{counts[s]};
      if (gain > most) {
        most = gain;
        best = s;
      }
    }
    sizes[best] = static_cast<std::uint16_t>(left < 0 ? sizes[best] - 1 : sizes[best] + 1);
  }
  return sizes;
}

std::uint64_t QuickCounts::price() const {
  std::uint64_t price = (plain_bits + kBlockBits) * kPriceOne;
  for (std::uint32_t t = 0; t < kQuickTables; t++) {
    const QuickDistribution sizes = distribution(static_cast<QuickTable>(t));
    price += price_of(sizes);
    for (std::size_t s = 0; s < sizes.size(); s++) {
      price += std::uint64_t{symbols[t][s]} * price_of(sizes[s]);
    }
  }
  return price;
}

QuickPrices::QuickPrices(const QuickCounts& counts) {
  for (std::uint32_t t = 0; t < kQuickTables; t++) {
    const QuickDistribution sizes = counts.distribution(static_cast<QuickTable>(t));
    for (std::size_t s = 0; s < sizes.size(); s++) {
      prices_[t][s] = static_cast<std::uint16_t>(price_of(sizes[s]));
    }
  }
}

std::uint32_t QuickPrices::number(QuickTable table, std::uint32_t value) const {
  const QuickNumber number = quick_number(value);
  return prices_[table][number.symbol] + number.bits * kPriceOne;
}

}  // namespace whittle::packer
