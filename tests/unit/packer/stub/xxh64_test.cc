// SPDX-License-Identifier: MIT
#include "packer/stub/base/xxh64.h"

#include <gtest/gtest.h>
#include <xxhash.h>

#include <random>

#include "common/bytes.h"

namespace whittle {
namespace {

TEST(Xxh64, AgreesWithTheReferenceLibraryForEveryLengthUpTo300) {
  std::mt19937_64 random(1);
  Bytes bytes(300);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  for (std::size_t size = 0; size <= bytes.size(); size++) {
    for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, random()}) {
      EXPECT_EQ(stub::xxh64(bytes.data(), size, seed), XXH64(bytes.data(), size, seed)) << size;
    }
  }
}

TEST(Xxh64, KnownValues) {
  EXPECT_EQ(stub::xxh64(nullptr, 0, 0), 0xef46db3751d8e999U);
  const ByteView abc = as_bytes("abc");
  EXPECT_EQ(stub::xxh64(abc.data(), abc.size(), 0), 0x44bc2cf5ad770999U);
}

}  // namespace
}  // namespace whittle
