// SPDX-License-Identifier: MIT
//
// What every transform of machine code has to keep, whatever the machine: each direction undoes the
// other, byte for byte, for any bytes at any address and not for code alone. The packer relies on
// it for data between functions, the unpacker for files that somebody else wrote.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <random>

#include "common/bytes.h"

namespace whittle::test {

// The two directions of a transform, on copies.
struct CodeTransform {
  using Function = void (*)(std::uint8_t* code, std::size_t size, std::uint64_t address);
  Function absolute, relative;
  std::uint64_t address;  // of code that is given no other

  Bytes to_absolute(Bytes code, std::optional<std::uint64_t> at = {}) const {
    absolute(code.data(), code.size(), at.value_or(address));
    return code;
  }
  Bytes to_relative(Bytes code, std::optional<std::uint64_t> at = {}) const {
    relative(code.data(), code.size(), at.value_or(address));
    return code;
  }
};

inline void expect_exact(const CodeTransform& transform, const Bytes& code, std::uint64_t address) {
  EXPECT_EQ(transform.to_relative(transform.to_absolute(code, address), address), code);
  EXPECT_EQ(transform.to_absolute(transform.to_relative(code, address), address), code);
}

// For 3,000 of the codes that `make(random)` returns, each at an address of its own.
template <typename Make>
void expect_exact_for(const CodeTransform& transform, const Make& make) {
  std::mt19937_64 random(20260501);
  for (int i = 0; i < 3000 && !testing::Test::HasFailure(); i++) {
    SCOPED_TRACE(i);
    const Bytes code = make(random);
    expect_exact(transform, code, random());
  }
}

inline void expect_exact_for_arbitrary_bytes(const CodeTransform& transform) {
  expect_exact_for(transform, [](std::mt19937_64& random) {
    Bytes code(random() % 3000);
    for (std::uint8_t& byte : code) byte = static_cast<std::uint8_t>(random());
    return code;
  });
}

}  // namespace whittle::test
