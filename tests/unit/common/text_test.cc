// SPDX-License-Identifier: MIT
#include "common/text.h"

#include <gtest/gtest.h>

namespace whittle {
namespace {

TEST(IsUtf8, TakesWellFormedTextOnly) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("plain"));
  EXPECT_TRUE(is_utf8("\xc3\xbc \xe2\x82\xac \xf0\x9f\x90\xa7"));
  EXPECT_FALSE(is_utf8("\xff"));
  EXPECT_FALSE(is_utf8("\xc3"));              // cut short
  EXPECT_FALSE(is_utf8("\xc0\xaf"));          // overlong
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));      // a surrogate
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80"));  // beyond U+10FFFF
}

TEST(Printable, LeavesTextAlone) {
  EXPECT_EQ(printable("/lib64/ld-linux-x86-64.so.2"), "/lib64/ld-linux-x86-64.so.2");
  EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
}

TEST(Printable, EscapesWhatATerminalObeys) {
  EXPECT_EQ(printable("a\nb"), "a\\nb");
  EXPECT_EQ(printable("\x1b[2J"), "\\x1b[2J");
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\u202e");
}

TEST(Columns, CountsCharacters) {
  EXPECT_EQ(columns(""), 0u);
  EXPECT_EQ(columns("abc"), 3u);
  EXPECT_EQ(columns("\xc3\xbc\xe2\x82\xac"), 2u);
}

}  // namespace
}  // namespace whittle
