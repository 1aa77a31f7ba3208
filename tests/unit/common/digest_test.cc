// SPDX-License-Identifier: MIT
#include "common/digest.h"

#include <gtest/gtest.h>

namespace whittle {
namespace {

// The examples of FIPS 180-4's validation list.
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(Bytes(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheBytesArrive) {
  Bytes bytes(1000);
  for (std::size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<std::uint8_t>(i * 7);
  Sha256 hash;
  for (std::size_t at = 0, step = 1; at < bytes.size(); step++) {
    const std::size_t n = std::min(step, bytes.size() - at);
    hash.update(ByteView(bytes).subspan(at, n));
    at += n;
  }
  EXPECT_EQ(hash.finish(), sha256(bytes));
}

TEST(ToHex, WritesTwoLowerCaseDigitsAByte) {
  EXPECT_EQ(to_hex({}), "");
  const Bytes bytes = {0x00, 0x0f, 0xa0, 0xff};
  EXPECT_EQ(to_hex(bytes), "000fa0ff");
}

}  // namespace
}  // namespace whittle
