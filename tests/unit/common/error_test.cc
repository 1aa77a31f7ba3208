// SPDX-License-Identifier: MIT
#include "common/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace whittle {
namespace {

TEST(Error, SaysPathMessageAndOffset) {
  EXPECT_STREQ(Error(ErrorKind::malformed, "a.out", "is broken", 12).what(),
               "a.out: is broken (at offset 12)");
  EXPECT_STREQ(Error(ErrorKind::malformed, "a.out", "is broken").what(), "a.out: is broken");
  EXPECT_STREQ(Error(ErrorKind::usage, "", "no file given").what(), "no file given");
}

TEST(Error, HasTheDocumentedExitCodes) {
  EXPECT_EQ(exit_code(ErrorKind::failed), 1);
  EXPECT_EQ(exit_code(ErrorKind::usage), 2);
  EXPECT_EQ(exit_code(ErrorKind::refused), 3);
  EXPECT_EQ(exit_code(ErrorKind::malformed), 4);
  EXPECT_EQ(exit_code(ErrorKind::corrupt), 4);
  EXPECT_EQ(exit_code(ErrorKind::io), 5);
  EXPECT_EQ(exit_code(ErrorKind::internal), 70);
}

TEST(Error, NamesItsKinds) {
  EXPECT_EQ(name(ErrorKind::failed), "failed");
  EXPECT_EQ(name(ErrorKind::usage), "usage");
  EXPECT_EQ(name(ErrorKind::refused), "refused");
  EXPECT_EQ(name(ErrorKind::malformed), "malformed");
  EXPECT_EQ(name(ErrorKind::corrupt), "corrupt");
  EXPECT_EQ(name(ErrorKind::io), "io");
  EXPECT_EQ(name(ErrorKind::internal), "internal");
}

TEST(Error, OfTheSystemEndsInTheSystemsWords) {
  const Error error = io_error("out", "cannot write", ENOSPC);
  EXPECT_EQ(error.kind(), ErrorKind::io);
  EXPECT_STREQ(error.what(), "out: cannot write: No space left on device");
}

}  // namespace
}  // namespace whittle
