// SPDX-License-Identifier: MIT
#include "common/bytes.h"

#include <gtest/gtest.h>

#include "tests/unit/common/mutate.h"

namespace whittle {
namespace {

TEST(InBounds, TakesWhatFitsAndNothingElse) {
  EXPECT_TRUE(in_bounds(0, 0, 0));
  EXPECT_TRUE(in_bounds(4, 0, 4));
  EXPECT_TRUE(in_bounds(0, 4, 4));
  EXPECT_FALSE(in_bounds(5, 0, 4));
  EXPECT_FALSE(in_bounds(1, 4, 4));
}

TEST(InBounds, DoesNotOverflow) {
  EXPECT_FALSE(in_bounds(UINT64_MAX, 1, 4));
  EXPECT_FALSE(in_bounds(1, UINT64_MAX, 4));
  EXPECT_FALSE(in_bounds(UINT64_MAX, UINT64_MAX, 4));
  EXPECT_TRUE(in_bounds(0, UINT64_MAX, UINT64_MAX));
}

TEST(Align, RoundsToMultiples) {
  EXPECT_EQ(align_up(0, 16), 0u);
  EXPECT_EQ(align_up(1, 16), 16u);
  EXPECT_EQ(align_up(16, 16), 16u);
  EXPECT_EQ(align_down(31, 16), 16u);
}

TEST(ByteReader, ReadsBothByteOrders) {
  const Bytes bytes = {1, 2, 3, 4, 5, 6, 7, 8};
  const ByteReader little(bytes, ByteOrder::little, "f");
  const ByteReader big(bytes, ByteOrder::big, "f");
  EXPECT_EQ(little.u8(1, "x"), 2);
  EXPECT_EQ(little.u16(0, "x"), 0x0201);
  EXPECT_EQ(big.u16(0, "x"), 0x0102);
  EXPECT_EQ(little.u32(4, "x"), 0x08070605u);
  EXPECT_EQ(big.u32(4, "x"), 0x05060708u);
  EXPECT_EQ(little.u64(0, "x"), 0x0807060504030201u);
  EXPECT_EQ(big.u64(0, "x"), 0x0102030405060708u);
}

TEST(ByteReader, NamesTheFileTheFieldAndTheOffsetOfWhatIsMissing) {
  const Bytes bytes = {1, 2, 3};
  const ByteReader reader(bytes, ByteOrder::little, "a.out");
  const Error error =
      test::expect_error(ErrorKind::malformed, [&] { reader.u32(1, "the frobnicator"); });
  EXPECT_EQ(error.path(), "a.out");
  EXPECT_EQ(error.offset(), 1u);
  EXPECT_NE(error.message().find("the frobnicator"), std::string::npos);
  test::expect_error(ErrorKind::malformed, [&] { reader.u8(3, "x"); });
  test::expect_error(ErrorKind::malformed, [&] { reader.u64(UINT64_MAX - 3, "x"); });
  test::expect_error(ErrorKind::malformed, [&] { reader.slice(2, UINT64_MAX, "x"); });
  EXPECT_EQ(reader.slice(3, 0, "x").size(), 0u);
}

TEST(ByteReader, ReadsTerminatedStringsOnly) {
  const ByteReader reader(as_bytes(std::string_view("ab\0cd", 5)), ByteOrder::little, "f");
  EXPECT_EQ(reader.c_string(0, "x"), "ab");
  EXPECT_EQ(reader.c_string(2, "x"), "");
  test::expect_error(ErrorKind::malformed, [&] { reader.c_string(3, "x"); });
  test::expect_error(ErrorKind::malformed, [&] { reader.c_string(5, "x"); });
  test::expect_error(ErrorKind::malformed, [&] { reader.c_string(UINT64_MAX, "x"); });
}

}  // namespace
}  // namespace whittle
