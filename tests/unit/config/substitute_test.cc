// SPDX-License-Identifier: MIT
#include "config/substitute.h"

#include <gtest/gtest.h>

namespace whittle::config {
namespace {

const Environment kEnvironment = {{"A", "one"}, {"LINES", "x\ny\nz"}, {"EMPTY", ""}};

std::string substitute(std::string_view text) { return SubstitutedText(text, kEnvironment).text(); }

TEST(Substitute, ReplacesKnownVariablesAndEmptiesUnknownOnes) {
  EXPECT_EQ(substitute("a: _env(A)!"), "a: one!");
  EXPECT_EQ(substitute("_env(A)_env(A)"), "oneone");
  EXPECT_EQ(substitute("[_env(MISSING)]"), "[]");
  EXPECT_EQ(substitute("[_env(EMPTY)]"), "[]");
  EXPECT_EQ(substitute("no variables"), "no variables");
}

TEST(Substitute, LeavesOtherTextAlone) {
  for (const char* text :
       {"_env", "_env(", "_env()", "_env(A", "_env(a b)", "_env(1A)", "_env(A\n)"}) {
    EXPECT_EQ(substitute(text), text);
  }
  EXPECT_EQ(substitute("_env(_env(A)"), "_env(one");
}

TEST(Substitute, IsNotAppliedToValues) {
  const Environment environment = {{"A", "_env(B)"}, {"B", "no"}};
  EXPECT_EQ(SubstitutedText("_env(A)", environment).text(), "_env(B)");
}

TEST(Substitute, PositionsAreThoseOfTheOriginal) {
  const SubstitutedText text("k: _env(LINES) v\nnext: _env(A) end\n", kEnvironment);
  ASSERT_EQ(text.text(), "k: x\ny\nz v\nnext: one end\n");
  const auto at = [&](std::size_t index) {
    const Position position = PositionCursor(text).at_byte(index);
    return std::to_string(position.line) + ":" + std::to_string(position.column);
  };
  EXPECT_EQ(at(0), "1:1");
  EXPECT_EQ(at(3), "1:4");   // the value begins
  EXPECT_EQ(at(5), "1:4");   // its second line comes from the same place
  EXPECT_EQ(at(9), "1:16");  // "v"
  EXPECT_EQ(at(11), "2:1");
  EXPECT_EQ(at(21), "2:15");   // "end"
  EXPECT_EQ(at(9999), "3:1");  // past the end
}

TEST(Substitute, OneCursorGoesThroughAllPlaces) {
  const SubstitutedText text("_env(A)_env(EMPTY)b _env(LINES)\nc_env(A)", kEnvironment);
  ASSERT_EQ(text.text(), "oneb x\ny\nz\ncone");
  PositionCursor cursor(text);
  std::string places;
  for (std::size_t i = 0; i <= text.text().size(); i++) {
    const Position position = cursor.at_byte(i);
    places += std::to_string(position.line) + ":" + std::to_string(position.column) + " ";
    const Position fresh = PositionCursor(text).at_byte(i);
    EXPECT_EQ(position.line, fresh.line) << i;
    EXPECT_EQ(position.column, fresh.column) << i;
  }
  EXPECT_EQ(places, "1:1 1:1 1:1 1:19 1:20 1:21 1:21 1:21 1:21 1:21 1:32 2:1 2:2 2:2 2:2 2:9 ");
  EXPECT_EQ(cursor.at_byte(0).column, 9);  // never back
}

TEST(Substitute, ColumnsCountCharacters) {
  const SubstitutedText text("ä: xö", {});
  EXPECT_EQ(PositionCursor(text).at_byte(4).column, 4);
  EXPECT_EQ(PositionCursor(text).at_character(0).column, 1);
  EXPECT_EQ(PositionCursor(text).at_character(1).column, 2);
  EXPECT_EQ(PositionCursor(text).at_character(3).column, 4);
  PositionCursor cursor(text);
  EXPECT_EQ(cursor.at_character(4).column, 5);
  EXPECT_EQ(cursor.byte(), 5u);
}

}  // namespace
}  // namespace whittle::config
