// SPDX-License-Identifier: MIT
#include "report/wrapped.h"

#include <gtest/gtest.h>

#include "common/text.h"

namespace whittle::report {
namespace {

TEST(Wrapped, BreaksAtBlanks) {
  EXPECT_EQ(wrapped("short", 2), "short\n");
  EXPECT_EQ(wrapped("", 2), "\n");
  EXPECT_EQ(wrapped("  indented  text", 4), "  indented  text\n");
  const std::string forty(40, 'x'), forty_one(41, 'y');
  EXPECT_EQ(wrapped(forty + " " + std::string(39, 'y'), 2),
            forty + " " + std::string(39, 'y') + "\n");
  EXPECT_EQ(wrapped(forty + " " + forty_one, 2), forty + "\n  " + forty_one + "\n");
  // A long word stays whole, and what follows it gets a line of its own.
  const std::string hundred(100, 'z');
  EXPECT_EQ(wrapped("a " + hundred + " b", 3), "a\n   " + hundred + "\n   b\n");
  EXPECT_EQ(wrapped(hundred, 3), hundred + "\n");
  // Columns are counted, not bytes.
  std::string umlauts;
  for (int i = 0; i < 78; i++) umlauts += "ü";
  EXPECT_EQ(wrapped(umlauts + " a", 3), umlauts + " a\n");
}

TEST(Shortened, KeepsWholeCharacters) {
  EXPECT_EQ(shortened("text", 4), "text");
  EXPECT_EQ(shortened("texts", 4), "tex…");
  EXPECT_EQ(shortened("üüüüü", 4), "üüü…");
  EXPECT_EQ(shortened("text", 1), "…");
  EXPECT_EQ(shortened("text", 0), "");
  EXPECT_EQ(shortened("", 0), "");
}

}  // namespace
}  // namespace whittle::report
