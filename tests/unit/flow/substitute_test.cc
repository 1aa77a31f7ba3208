// SPDX-License-Identifier: MIT
#include "flow/substitute.h"

#include <gtest/gtest.h>

namespace whittle::flow {
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
  const auto at = [&](int line, int column) {
    const Position position = text.original_position(line, column);
    return std::to_string(position.line) + ":" + std::to_string(position.column);
  };
  EXPECT_EQ(at(0, 0), "1:1");
  EXPECT_EQ(at(0, 3), "1:4");   // the value begins
  EXPECT_EQ(at(1, 0), "1:4");   // its second line comes from the same place
  EXPECT_EQ(at(2, 2), "1:16");  // "v"
  EXPECT_EQ(at(3, 0), "2:1");
  EXPECT_EQ(at(3, 10), "2:15");  // "end"
  EXPECT_EQ(at(99, 99), "3:1");  // past the end
}

TEST(Substitute, ColumnsCountCharacters) {
  const SubstitutedText text("ä: x", {});
  EXPECT_EQ(text.original_position(0, 4).column, 4);
}

}  // namespace
}  // namespace whittle::flow
