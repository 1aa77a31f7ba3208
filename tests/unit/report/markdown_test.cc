// SPDX-License-Identifier: MIT
//
// That a parser gives the text back is tests/e2e/markdown_shows_names.sh.
#include "report/markdown.h"

#include <gtest/gtest.h>

namespace whittle::report {
namespace {

TEST(Markdown, TextIsEscapedOnce) {
  EXPECT_EQ(markdown_text("bin/app-1.0 (x)"), "bin/app-1.0 (x)");
  EXPECT_EQ(markdown_text("a|b"), "a\\|b");
  EXPECT_EQ(markdown_text("a\\b"), "a\\\\b");
  EXPECT_EQ(markdown_text("*x* _y_ `z` ~w~ $v$"), "\\*x\\* \\_y\\_ \\`z\\` \\~w\\~ \\$v\\$");
  EXPECT_EQ(markdown_text("<b>[l](u)![i]{}#&"), "\\<b\\>\\[l\\](u)\\!\\[i\\]\\{\\}\\#\\&");
  EXPECT_EQ(markdown_text("https://x www.y"), "https\\://x www\\.y");
  EXPECT_EQ(markdown_text(""), "");
}

TEST(Markdown, WhatCannotBeShownIsWritten) {
  EXPECT_EQ(markdown_text("a\nb\x1b"), "a\\\\nb\\\\x1b");
  EXPECT_EQ(markdown_text("\xff"), "\\\\xff");
  EXPECT_EQ(markdown_code("a\nb\xff"), "`a\\nb\\xff`");
}

TEST(Markdown, BlanksAtTheEndsStay) {
  EXPECT_EQ(markdown_text(" a b "), "&#32;a b&#32;");
  EXPECT_EQ(markdown_code(" a"), "`  a `");
  EXPECT_EQ(markdown_code("a "), "` a  `");
  EXPECT_EQ(markdown_code("  "), "`  `");
}

TEST(Markdown, ACodeSpanHasALongerFenceThanWhatIsInIt) {
  EXPECT_EQ(markdown_code("a"), "`a`");
  EXPECT_EQ(markdown_code("a`b"), "`` a`b ``");
  EXPECT_EQ(markdown_code("``a`"), "``` ``a` ```");
}

}  // namespace
}  // namespace whittle::report
