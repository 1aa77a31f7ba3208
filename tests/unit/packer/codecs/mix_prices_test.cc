// SPDX-License-Identifier: MIT
//
// The prices by which level `small` chooses, against the logarithms that they stand for.
#include "packer/codecs/mix_prices.h"

#include <gtest/gtest.h>

#include <cmath>

namespace whittle {
namespace {

TEST(MixPrices, AreLogarithmsOfShares) {
  for (std::uint32_t share = 1; share <= stub::kScale; share++) {
    const double bits = stub::kScaleBits - std::log2(share);
    EXPECT_NEAR(packer::kPrice.of[share], bits * packer::kPriceOne, 0.5001) << share;
  }
}

}  // namespace
}  // namespace whittle
