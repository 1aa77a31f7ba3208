// SPDX-License-Identifier: MIT
#include "common/log_text.h"

#include <gtest/gtest.h>

namespace whittle {
namespace {

std::string coloured_line(std::string_view text) { return LogText(true).line(text); }

TEST(LogText, TabsStayTabs) {
  EXPECT_EQ(plain_line("ok  \texample.com/x\t0.01s"), "ok  \texample.com/x\t0.01s");
  EXPECT_EQ(coloured_line("\ta\t"), "\ta\t");
}

TEST(LogText, ColoursStayOrAreDropped) {
  constexpr std::string_view kPass = "\x1b[32mPASS\x1b[0m";
  EXPECT_EQ(plain_line(kPass), "PASS");
  EXPECT_EQ(coloured_line(kPass), kPass);
  EXPECT_EQ(coloured_line("\x1b[1;38:5:208mx\x1b[m."), "\x1b[1;38:5:208mx\x1b[m.");
}

TEST(LogText, AColouredLineEndsUncoloured) {
  EXPECT_EQ(coloured_line("\x1b[31mred"), "\x1b[31mred\x1b[0m");
}

TEST(LogText, AColourHoldsForTheNextLines) {
  LogText log(true);
  EXPECT_EQ(log.line("\x1b[1m\x1b[31mred"), "\x1b[1m\x1b[31mred\x1b[0m");
  EXPECT_EQ(log.line("still red"), "\x1b[1m\x1b[31mstill red\x1b[0m");
  EXPECT_EQ(log.line("end\x1b[00m of it"), "\x1b[1m\x1b[31mend\x1b[00m of it");
  EXPECT_EQ(log.line("plain"), "plain");
}

TEST(LogText, WhatColoursHoldIsBounded) {
  LogText log(true);
  for (int i = 0; i < 10000; i++) log.line("\x1b[31m\x1b[32m");
  EXPECT_LT(log.line("x").size(), 300u);
  EXPECT_EQ(LogText(true).line("\x1b[" + std::string(1000, '1') + "mx"), "x");
}

// Neither cursor movement nor titles, links, modes or answers of the terminal.
TEST(LogText, EveryOtherSequenceIsDropped) {
  for (const std::string sequence : {"\x1b[2J",
                                     "\x1b[K",
                                     "\x1b[1A",
                                     "\x1b[10;10H",
                                     "\x1b[?25l",
                                     "\x1b[?1049h",
                                     "\x1b[6n",
                                     "\x1b[>4;2m",
                                     "\x1b[?4m",
                                     "\x1b[1 q",
                                     "\x1b]0;title\a",
                                     "\x1b]2;title\x1b\\",
                                     "\x1b]8;;http://x\x1b\\",
                                     "\x1bP1$r0m\x1b\\",
                                     "\x1b_G\x1b\\",
                                     "\x1b^x\x1b\\",
                                     "\x1bXx\x1b\\",
                                     "\x1b"
                                     "7",
                                     "\x1b"
                                     "c",
                                     "\x1b(B",
                                     "\x1bM",
                                     "\x1b#8"}) {
    EXPECT_EQ(plain_line("a" + sequence + "b"), "ab");
    EXPECT_EQ(coloured_line("a" + sequence + "b"), "ab");
  }
}

// What is cut short hides no text that follows, and lets nothing through.
TEST(LogText, MalformedSequences) {
  EXPECT_EQ(coloured_line("a\x1b"), "a");
  EXPECT_EQ(coloured_line("a\x1b[1;3"), "a");
  EXPECT_EQ(coloured_line("a\x1b]0;no end"), "a0;no end");
  EXPECT_EQ(coloured_line("\x1b[3\x1b[31mx\x1b[0m"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(coloured_line("\x1b]0;t\x1b[31mx\x1b[0m"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(coloured_line("a\x1b\xc3\xbc"), "a\xc3\xbc");
  EXPECT_EQ(coloured_line("\x1b[3\xffm"), "\\xffm");
}

TEST(LogText, ControlCharactersAreShown) {
  EXPECT_EQ(coloured_line("a\bb\a\x7f"), "a\\x08b\\x07\\x7f");
  EXPECT_EQ(coloured_line("\xc2\x9b"
                          "2J"),
            "\\x9b"
            "2J");  // CSI as one character
  EXPECT_EQ(coloured_line("\x9b"
                          "2J"),
            "\\x9b"
            "2J");
  EXPECT_EQ(plain_line("gr\xc3\xbc\xc3\x9f \xe2\x80\xae"), "gr\xc3\xbc\xc3\x9f \\u202e");
}

}  // namespace
}  // namespace whittle
