// SPDX-License-Identifier: MIT
#include "packer/codecs/mix_prices.h"

namespace whittle::packer {
namespace {

using namespace stub;

// Of a symbol that one model alone decides.
std::uint16_t single(const Distribution& m, std::uint32_t symbol) {
  const std::uint32_t above = symbol == 15 ? kFull : m.lane[symbol + 1],
                      below = symbol == 0 ? 0 : m.lane[symbol];
  return kPrice.of[above - below + 1];
}

}  // namespace

void MixPrices::refresh() {
  for (std::uint32_t k = 0; k < 3; k++) {
    for (std::uint32_t field = 0; field < kFields; field++) {
      for (std::uint32_t value = 1; value <= kNiceLength; value++) {
        lengths_[k][field][value] = static_cast<std::uint16_t>(length(k, field, value));
      }
    }
  }
  for (std::uint32_t c = 0; c < 8 * kFields; c++) {
    for (std::uint32_t high = 0; high < 16; high++) {
      distance_first_[c][high] = single(model_.w.distance_high[c], high);
    }
  }
}

// As MixModel::length codes it.
std::uint32_t MixPrices::length(std::uint32_t length_class, std::uint32_t field,
                                std::uint32_t value) const {
  const MixWorkspace& w = model_.w;
  std::uint32_t v = value - 1;
  std::uint32_t price = single(w.length[length_class * kFields + field], v < 15 ? v : 15);
  if (v < 15) return price;
  v -= 15;
  price += single(w.length_more[length_class], v < 15 ? v : 15);
  if (v < 15) return price;
  const auto bits = static_cast<std::uint32_t>(31 - __builtin_clz(v - 14));
  return price + single(w.length_high[length_class], bits) + bits * kPriceOne;
}

// As MixModel::distance codes it.
std::uint32_t MixPrices::distance_rest(std::uint32_t distance) const {
  const MixWorkspace& w = model_.w;
  const std::uint32_t high = distance_high(distance);
  if (high == 0) return single(w.distance_low[0], distance);
  const std::uint32_t bits = 2 * high - 2;
  std::uint32_t price = single(w.distance_low[high], (distance >> bits) & 15);
  if (bits == 0) return price;
  if (bits > 4) price += (bits - 4) * kPriceOne;
  return price + single(w.distance_align[high], distance & (bits > 4 ? 15 : (1U << bits) - 1));
}

}  // namespace whittle::packer
