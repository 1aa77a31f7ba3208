// SPDX-License-Identifier: MIT
#include "flow/script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flow/line_reader.h"

namespace whittle::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<LineRange> split(std::string_view script) {
  return split_script(script, complete_for_shell);
}

TEST(SplitScript, EachLineIsACommand) {
  EXPECT_THAT(split("a"), ElementsAre(LineRange{1, 1}));
  EXPECT_THAT(split("a\nb; c\n"), ElementsAre(LineRange{1, 1}, LineRange{2, 2}));
  EXPECT_THAT(split(""), IsEmpty());
}

TEST(SplitScript, BlankLinesAreNone) {
  EXPECT_THAT(split("\n \t\na\n\n# why\nb\n\n"),
              ElementsAre(LineRange{3, 3}, LineRange{5, 5}, LineRange{6, 6}));
}

TEST(SplitScript, WhatGoesOnIsOneCommand) {
  for (const char* script : {
           "a \\\nb",
           "a &&\nb",
           "a |\n# of both\nb",
           "echo 'a\nb'",
           "echo \"a\n\nb\"",
           "if a\nthen b\nelse\nc\nfi",
           "for i in 1 2; do\necho $i\ndone",
           "case x in\nx) a;;\nesac",
           "f()\n{\na\n}",
           "(\na\n)",
           "{\na\n}",
           "x=$(\na\n)",
           "cat <<E\n}\n'\nE",
           "cat <<-'E' | tr a b\n\t$(\n\tE",
       }) {
    const std::size_t lines = split_lines(script).size();
    EXPECT_THAT(split(script), ElementsAre(LineRange{1, lines})) << script;
    EXPECT_THAT(
        split("a\n" + std::string(script) + "\nb"),
        ElementsAre(LineRange{1, 1}, LineRange{2, lines + 1}, LineRange{lines + 2, lines + 2}))
        << script;
  }
}

TEST(SplitScript, ACommentDoesNotGoOn) {
  EXPECT_THAT(split("# a \\\nb"), ElementsAre(LineRange{1, 1}, LineRange{2, 2}));
}

TEST(SplitScript, WhatIsWrongIsTheLastCommand) {
  EXPECT_THAT(split("a\n)\nb\n"), ElementsAre(LineRange{1, 1}, LineRange{2, 3}));
  EXPECT_THAT(split("a\necho 'b\nc"), ElementsAre(LineRange{1, 1}, LineRange{2, 3}));
}

TEST(SplitScript, TheStatusOfAPipelineIsAskedForAtOnce) {
  EXPECT_THAT(split("a | b\n[ ${PIPESTATUS[0]} = 0 ]\nc"),
              ElementsAre(LineRange{1, 2}, LineRange{3, 3}));
}

TEST(PrepareScript, OneCommandStaysAsItIs) {
  const ScriptMarks marks("abc");
  const PreparedScript prepared = prepare_script("a &&\nb\n", {{1, 2}}, marks);
  EXPECT_EQ(prepared.text, "a &&\nb\n");
  EXPECT_EQ(prepared.descriptor, -1);
}

TEST(PrepareScript, CallsStandOnTheLinesOfTheirCommands) {
  const ScriptMarks marks("abc");
  const PreparedScript prepared = prepare_script("a\n\nb", {{1, 1}, {3, 3}}, marks);
  const auto lines = split_lines(prepared.text);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(std::string(lines[0]), testing::EndsWith("whittle_abc 1 1; a"));
  EXPECT_EQ(lines[1], "");
  EXPECT_EQ(lines[2], "whittle_abc 3 3; b");
}

TEST(PrepareScript, TakesADescriptorThatTheScriptDoesNotName) {
  const auto descriptor = [](const std::string& script) {
    return prepare_script(script, {{1, 1}, {2, 2}}, ScriptMarks("abc")).descriptor;
  };
  EXPECT_EQ(descriptor("echo 9\nb"), 9);
  EXPECT_EQ(descriptor("exec 9>lock\nflock 9"), 8);
  EXPECT_EQ(descriptor("a >&9\nb 8<c"), 7);
  const PreparedScript none =
      prepare_script("a 9>b 8>b 7>b 6>b\nc 5>b 4>b 3>b", {{1, 1}, {2, 2}}, ScriptMarks("abc"));
  EXPECT_EQ(none.descriptor, -1);
  EXPECT_THAT(none.text, Not(HasSubstr("echo")));
}

TEST(ProblemOfScript, AnotherInterpreterIsOne) {
  EXPECT_EQ(problem_of_script("#!/bin/sh\na"), "");
  EXPECT_EQ(problem_of_script("#! /bin/sh -e \na"), "");
  EXPECT_EQ(problem_of_script("# no\n#!/bin/bash"), "");
  for (const char* script :
       {"#!/bin/bash\na", "#!/usr/bin/env python3\nprint()", "#!/bin/sh -x\na", "#!\na"}) {
    EXPECT_THAT(problem_of_script(script), HasSubstr("put it into a file")) << script;
  }
}

TEST(ProblemOfScript, ALongTextIsOne) {
  std::string script;
  for (std::size_t i = 0; i < kMaxScriptLines; i++) script += ":\n";
  EXPECT_EQ(problem_of_script(script), "");
  EXPECT_THAT(problem_of_script(script + ":"),
              HasSubstr("has 1001 lines and 2001 bytes; more than 1000 lines or 80000 bytes"));
  EXPECT_EQ(problem_of_script(std::string(kMaxScriptBytes, 'x')), "");
  EXPECT_NE(problem_of_script(std::string(kMaxScriptBytes + 1, 'x')), "");
}

// The longest script that is taken can be started.
TEST(PrepareScript, FitsIntoAnArgument) {
  std::string script;
  std::vector<LineRange> commands;
  for (std::size_t i = 1; i <= kMaxScriptLines; i++) {
    script += std::string(kMaxScriptBytes / kMaxScriptLines - 1, 'x') + "\n";
    commands.push_back({i, i});
  }
  ASSERT_EQ(problem_of_script(script), "");
  EXPECT_LT(prepare_script(script, commands, ScriptMarks("0123456789abcdef")).text.size(),
            128u * 1024);
}

class LineReaderTest : public testing::Test {
 protected:
  void read(std::string_view bytes, std::size_t at_once = 1000) {
    LineReader reader(
        ScriptMarks("abc"), [&](std::string_view line) { log.emplace_back(line); },
        [&](LineRange range) {
          log.push_back(std::to_string(range.first) + "-" + std::to_string(range.last));
        });
    for (std::size_t i = 0; i < bytes.size(); i += at_once) reader.take(bytes.substr(i, at_once));
    reader.finish();
    tail = reader.tail();
  }
  std::vector<std::string> log, tail;
};

TEST_F(LineReaderTest, TakesMarksOut) {
  for (const std::size_t at_once : {1u, 3u, 1000u}) {
    log.clear();
    read(
        "\x1e"
        "abc 1 1\na\nb\x1e"
        "abc 2 30\nc",
        at_once);
    EXPECT_THAT(log, ElementsAre("1-1", "a", "b", "2-30", "c"));
    EXPECT_THAT(tail, ElementsAre("a", "b", "c"));
  }
}

TEST_F(LineReaderTest, WhatIsNoMarkIsOutput) {
  read(
      "\x1e\x1e"
      "abc 1 1\n\x1e"
      "abd 1 1\n\x1e"
      "abc x\n\x1e"
      "abc 1234567890 1234567890\n\x1e"
      "ab");
  EXPECT_THAT(log, ElementsAre("\x1e", "1-1",
                               "\x1e"
                               "abd 1 1",
                               "\x1e"
                               "abc x",
                               "\x1e"
                               "abc 1234567890 1234567890",
                               "\x1e"
                               "ab"));
}

TEST_F(LineReaderTest, ACarriageReturnStartsTheLineAgain) {
  read("10 %\r50 %\r100 %\nwindows\r\nends\r\r\n\rx\n\r\nlast\r");
  EXPECT_THAT(log, ElementsAre("100 %", "windows", "ends", "x", "", "last"));
}

TEST_F(LineReaderTest, ProgressOnOneLineNeedsNoMemory) {
  std::string text;
  for (int i = 0; i < 10000; i++) text += "\rprogress " + std::to_string(i);
  read(text);
  EXPECT_THAT(log, ElementsAre("progress 9999"));
}

TEST_F(LineReaderTest, LongLinesAreCutBetweenCharacters) {
  read(std::string(kMaxLine - 1, 'x') +
       "\xe2\x82\xac"
       "y\n" +
       std::string(kMaxLine, 'z') + "\n");
  EXPECT_THAT(log, ElementsAre(std::string(kMaxLine - 1, 'x') + "\xe2\x82\xac", "y",
                               std::string(kMaxLine, 'z')));
  log.clear();
  read(std::string(3 * kMaxLine, '\x80'));
  for (const std::string& line : log) EXPECT_LE(line.size(), kMaxLine + 3);
}

TEST_F(LineReaderTest, TracesOfCallsAreNoOutput) {
  read("+ whittle_abc 2 2\n+ a\n");
  EXPECT_THAT(log, ElementsAre("+ a"));
}

}  // namespace
}  // namespace whittle::flow
