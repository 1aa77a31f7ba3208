// SPDX-License-Identifier: MIT
#include "report/text_table.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace whittle::report {
namespace {

TEST(Numbers, AreGrouped) {
  EXPECT_EQ(group_digits(0), "0");
  EXPECT_EQ(group_digits(999), "999");
  EXPECT_EQ(group_digits(1000), "1,000");
  EXPECT_EQ(group_digits(11427952), "11,427,952");
  EXPECT_EQ(group_digits(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(Numbers, SizesHaveOneDecimal) {
  EXPECT_EQ(human_size(0), "0 B");
  EXPECT_EQ(human_size(1023), "1023 B");
  EXPECT_EQ(human_size(1024), "1.0 KiB");
  EXPECT_EQ(human_size(1048575), "1.0 MiB");
  EXPECT_EQ(human_size(11427952), "10.9 MiB");
  EXPECT_EQ(human_size(UINT64_MAX), "16.0 EiB");
}

TEST(Numbers, PercentOfNothingIsNoNumber) {
  EXPECT_EQ(percent(1, 0), "-");
  EXPECT_EQ(percent(0, 5), "0.0 %");
  EXPECT_EQ(percent(3666424, 11427952), "32.1 %");
  EXPECT_EQ(percent(2, 1), "200.0 %");
}

TEST(Numbers, CountsHaveAPlural) {
  EXPECT_EQ(count(0, "file"), "0 files");
  EXPECT_EQ(count(1, "file"), "1 file");
  EXPECT_EQ(count(1234, "byte"), "1,234 bytes");
}

TEST(TextTable, AlignsByCharactersNotBytes) {
  TextTable table({Align::left, Align::right, Align::left});
  table.add_row({"name", "size"});
  table.add_row({"grüße", "1", "note"});
  table.add_row({"日", "1000"});
  EXPECT_EQ(table.text("> "),
            "> name   size\n"
            "> grüße     1  note\n"
            "> 日      1000\n");
}

TEST(TextTable, MarkdownCellsCannotBreakOut) {
  TextTable table({Align::left, Align::right});
  table.add_row({"a", "b"});
  table.add_row({"x|y", "<b>*1*`"});
  EXPECT_EQ(table.markdown(),
            "| a | b |\n"
            "| --- | ---: |\n"
            "| x\\|y | \\<b\\>\\*1\\*\\` |\n");
}

TEST(TextTable, EmptyOneIsEmpty) {
  EXPECT_EQ(TextTable({Align::left}).text("  "), "");
  EXPECT_EQ(TextTable({Align::left}).markdown(), "");
}

}  // namespace
}  // namespace whittle::report
