// SPDX-License-Identifier: MIT
//
// Damages files the same way on every run. Half of the damage goes to the first kilobyte, where the
// headers are; values are the ones that break arithmetic.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>

#include "common/bytes.h"
#include "common/error.h"

namespace whittle::test {

inline Bytes mutate(ByteView original, std::uint64_t seed) {
  std::mt19937_64 random(seed);  // its sequence is fixed by the standard; distributions' are not
  const auto below = [&](std::uint64_t limit) { return limit == 0 ? 0 : random() % limit; };
  Bytes bytes(original.begin(), original.end());
  const std::uint64_t edits = 1 + below(6);
  for (std::uint64_t edit = 0; edit < edits && !bytes.empty(); edit++) {
    const std::uint64_t span =
        below(2) == 0 ? std::min<std::uint64_t>(bytes.size(), 1024) : bytes.size();
    const std::uint64_t at = below(span);
    switch (below(8)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
      case 2:
      case 3: {  // an absurd number of 1, 2, 4 or 8 bytes
        constexpr std::uint64_t kAbsurd[] = {0,          1,           0x7f,
                                             0xffff,     0x7fffffff,  0xffffffff,
                                             UINT64_MAX, 1ULL << 63,  UINT64_MAX - 63,
                                             0x80000000, 0x100000000, 0xfffffffffffff000};
        const std::uint64_t value =
            below(4) == 0 ? bytes.size() - below(3) : kAbsurd[below(std::size(kAbsurd))];
        const std::uint64_t width = std::uint64_t{1} << below(4);
        for (std::uint64_t i = 0; i < width && at + i < bytes.size(); i++) {
          bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
        }
        break;
      }
      case 4:
        bytes[at] ^= static_cast<std::uint8_t>(1u << below(8));
        break;
      default:
        bytes[at] = static_cast<std::uint8_t>(random());
        break;
    }
  }
  return bytes;
}

// Calls `parse` with `count` damaged forms of `original`: each must give a value or an Error of
// kind malformed or refused, within two seconds. Returns how many gave a value.
template <typename Parse>
int expect_survives(ByteView original, int count, Parse parse) {
  int values = 0;
  for (int seed = 1; seed <= count; seed++) {
    const Bytes damaged = mutate(original, static_cast<std::uint64_t>(seed));
    const auto start = std::chrono::steady_clock::now();
    try {
      parse(ByteView(damaged));
      values++;
    } catch (const Error& error) {
      EXPECT_TRUE(error.kind() == ErrorKind::malformed || error.kind() == ErrorKind::refused)
          << "seed " << seed << ": " << error.what();
      EXPECT_FALSE(error.message().empty()) << "seed " << seed;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2)) << "seed " << seed;
  }
  return values;
}

// Expects `action` to throw an Error of `kind`, and returns it for a closer look.
template <typename Action>
Error expect_error(ErrorKind kind, Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(name(error.kind()), name(kind)) << error.what();
    return error;
  }
  ADD_FAILURE() << "no error, but one of kind " << name(kind) << " was expected";
  return Error(kind, "", "");
}

}  // namespace whittle::test
