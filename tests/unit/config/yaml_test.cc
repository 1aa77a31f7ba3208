// SPDX-License-Identifier: MIT
#include "config/yaml.h"

#include <gmock/gmock.h>

#include "tests/unit/common/scratch_test.h"

namespace whittle::config {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// Reads everything in the text as what it is.
void read(const Value& value, const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::list: {
      const auto items = value.list();
      for (std::size_t i = 0; i < items.size(); i++) read(items[i], *node.children[i]);
      break;
    }
    case YamlNode::Kind::mapping: {
      const auto entries = value.entries();
      for (std::size_t i = 0; i < entries.size(); i++) {
        read(entries[i].second, *node.children[2 * i + 1]);
      }
      break;
    }
    case YamlNode::Kind::scalar:
      value.text();
  }
}

void read(std::string_view text, const Environment& environment = {}) {
  const SubstitutedText substituted(text, environment);
  const YamlTree tree(substituted, "f");
  const Document document(substituted, "f");
  read(document.root(), tree.root());
}

std::string problem(std::string_view text, const Environment& environment = {}) {
  const Error error = error_of([&] { read(text, environment); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  return error.what();
}

TEST(Yaml, AQuoteThatIsNeverClosed) {
  const std::string never = "the quote that begins here is never closed";
  EXPECT_EQ(problem("a: \"b"), "f:1:4: " + never);
  EXPECT_EQ(problem("a: \"b\n"), "f:1:4: " + never);
  EXPECT_EQ(problem("a: 'b\n\n  \n"), "f:1:4: " + never);
  EXPECT_EQ(problem("a: 'it''s\n"), "f:1:4: " + never);
  EXPECT_EQ(problem("a: \"b\\\"\n"), "f:1:4: " + never);
  EXPECT_EQ(problem("x: y\n\"a: b\nc: d\n"), "f:2:1: " + never);
  EXPECT_EQ(problem("a: &x !!str \"b\nc: d\n"), "f:1:13: " + never);
  EXPECT_EQ(problem("a: [\"b\", 'c, \"d\"]\n"), "f:1:10: " + never);
  EXPECT_EQ(problem("\xef\xbb\xbf"
                    "a: \"b\n"),
            "f:1:5: " + never);
  EXPECT_EQ(problem("ä: _env(A) \"b\n", {{"A", "\"x\"\nc:"}}), "f:1:12: " + never);
  EXPECT_EQ(problem("a: _env(A)\nb: c\n", {{"A", "\"x"}}), "f:1:4: " + never);
  EXPECT_EQ(problem("a: \"b\n---\nc: d\n"),
            "f:1:4: the quote that begins here is not closed before the end of the document in "
            "line 2");
}

// A quote may be closed by the next one, which was meant to begin a text.
TEST(Yaml, AQuoteThatAnotherOneCloses) {
  const auto before = [](int line) {
    return HasSubstr(" that begins here is not closed before line " + std::to_string(line) + ",");
  };
  EXPECT_THAT(problem("s:\n  a:\n    run: \"echo\n  b:\n    run: \"exit 1\"\n"), before(4));
  EXPECT_THAT(problem("s:\n  a:\n    run: \"echo\n  b:\n    run: \"exit 1\"\n"),
              HasSubstr("f:3:10: the quote (\")"));
  EXPECT_THAT(problem("s:\n  a: 'echo\n  b: {c: 'd'}\n"), HasSubstr("f:2:6: the quote (')"));
  EXPECT_THAT(problem("l:\n  - \"a\n  - \"b\"\n"), HasSubstr("f:2:5: the quote (\")"));
  EXPECT_THAT(problem("l:\n- \"a\n- \"b\"\n"), HasSubstr("f:2:3: the quote (\")"));
  EXPECT_THAT(problem("a: &x \"b\nc: \"d\"\n"), HasSubstr("f:1:7: the quote (\")"));
  // Even where all of it would be YAML again.
  EXPECT_THAT(problem("a:\n  b: \"c\n  d: e\n  f: \"\n"), HasSubstr("f:2:6: the quote (\")"));
  EXPECT_THAT(problem("a:\n  b: [x, \"c\n  d, e\"]\n"), HasSubstr("f:2:10: the quote (\")"));
  EXPECT_THAT(problem("a:\n  b: \"c\n\td\"\n"), before(3));
}

TEST(Yaml, QuotedTextsMayHaveLines) {
  for (const char* text :
       {"a: \"b\n c\"\n", "a:\n  b: \"c\n\n   d\"\n", "a: {b: 'c\n d'}\n", "[\"a\nb\"]\n",
        "\"a\nb\"\n", "- \"a\n  b\"\n", "- a: \"b\n   c\"\n", "a: &x\n  b: \"c\n   d\"\n",
        "a:\n- \"b\n  c\"\n", "a: !!map\n    b: \"c\n  d\"\n", "a: \"b\\\n  c\"\n",
        "- - 'a\n\n    b'\n"}) {
    EXPECT_NO_THROW(read(text)) << text;
  }
}

TEST(Yaml, TabsThatIndentAreNamed) {
  for (const auto& [text, position] :
       std::initializer_list<std::pair<const char*, const char*>>{{"build:\n\tsteps:\n", "f:2:1: "},
                                                                  {"\ta: b\n", "f:1:1: "},
                                                                  {"a:\n  \tb: c\n", "f:2:3: "},
                                                                  {"a: b\n\tc: d\n", "f:2:1: "},
                                                                  {"a: 'b'\n\tc: d\n", "f:2:1: "},
                                                                  {"a:\n  - b\n\t- c\n", "f:3:1: "},
                                                                  {"a: |\n\tb\n", "f:2:1: "},
                                                                  {"a: |\n  b\n\tc\n", "f:3:1: "},
                                                                  {"-\tb: c\n", "f:1:2: "}}) {
    EXPECT_EQ(problem(text),
              std::string(position) + "a tab is where YAML takes only spaces; indent with spaces");
  }
  EXPECT_NO_THROW(read("a:\tb\nc: [\n \td\n \t]\ne: |\n  x\ty\nf: g\t# h\n"));
}

TEST(Yaml, TagsWithoutAMeaningAreErrors) {
  const auto unknown = [](std::string_view tag) {
    return "the tag `" + std::string(tag) + "` has no meaning here; leave it out";
  };
  EXPECT_EQ(problem("a: !foo b\n"), "f:1:4: `a`: " + unknown("!foo"));
  EXPECT_EQ(problem("a: !foo\n"), "f:1:4: `a`: " + unknown("!foo"));
  EXPECT_EQ(problem("a:\n  - b\n  - !foo [c]\n"), "f:3:5: `a[1]`: " + unknown("!foo"));
  EXPECT_EQ(problem("a: !foo {b: c}\n"), "f:1:4: `a`: " + unknown("!foo"));
  EXPECT_EQ(problem("!foo a: b\n"), "f:1:1: " + unknown("!foo"));
  EXPECT_EQ(problem("!foo\na: b\n"), "f:1:1: " + unknown("!foo"));
  EXPECT_EQ(problem("a: !!int 1\n"), "f:1:4: `a`: " + unknown("!!int"));
  EXPECT_EQ(problem("a: !!null ~\n"), "f:1:4: `a`: " + unknown("!!null"));
  EXPECT_EQ(problem("a: !!seq b\n"), "f:1:4: `a`: " + unknown("!!seq"));
  EXPECT_EQ(problem("a: !!str [b]\n"), "f:1:4: `a`: " + unknown("!!str"));
  EXPECT_EQ(problem("a: !<tag:x,1:y> b\n"), "f:1:4: `a`: " + unknown("tag:x,1:y"));
  EXPECT_EQ(problem("%TAG !e! tag:x,1:\n---\na: !e!y b\n"), "f:3:4: `a`: " + unknown("tag:x,1:y"));
  EXPECT_THAT(problem("a: !e!y b\n"), HasSubstr("f:1:4: is not YAML: found undefined tag handle"));
  EXPECT_EQ(problem("a: !!bool yes\n"),
            "f:1:4: `a` is a boolean by its tag `!!bool`, but must be a text");
  EXPECT_NO_THROW(read("!!map\na: !!str 1\nb: !!seq [! 2]\nc: !!map {!!str d: e}\n"));
}

TEST(Yaml, WhatIsNoTextIsRefusedWithItsPlace) {
  EXPECT_EQ(
      problem("a: {b: c}\nd: \x04 rest\n"),
      "f:2:4: there is the character U+0004, which YAML does not allow; write it as an escape "
      "in double quotes");
  EXPECT_THAT(problem(std::string("a: \0 b\n", 7)),
              HasSubstr("f:1:4: there is the character U+0000"));
  EXPECT_THAT(problem("a: \x7f\n"), HasSubstr("f:1:4: there is the character U+007F"));
  EXPECT_EQ(problem("ä: \xff\n"), "f:1:4: is not UTF-8 text");
  EXPECT_EQ(problem("\xff\xfe"
                    "a"),
            "f:1:1: is not UTF-8 text");
  EXPECT_EQ(problem("a: \xc3\n"), "f:1:5: is not UTF-8 text");  // what follows is wrong
  EXPECT_EQ(problem("a: _env(A)\n", {{"A", "\xff"}}), "f:1:4: is not UTF-8 text");
  EXPECT_THAT(problem("a: \"\\0\"\n"), HasSubstr("f:1:4: `a` contains a NUL byte"));
}

TEST(Yaml, NothingOfAFileIsDropped) {
  for (const char* text :
       {"- a\n- b\nc: d\n", "- a\nb\n", "a:\n  b: c\nd\n", "a: [b]]\n", "a: \"b\"c\n", "[ , a]\n",
        "[a, , b]\n", "a: b\n... c\n", "a: b\n---\n", "a # b\nc\n", "a: [b\n", "a: {b: c\n",
        "a: !b{}c d\n", "a: b: c\n", "a: \"\\'\"\n", "a: *b\n", "a: @b\n", "%FOO\n---\na: b\n"}) {
    EXPECT_THAT(problem(text), testing::MatchesRegex("f:[0-9]+:[0-9]+: .*")) << text;
  }
  EXPECT_NO_THROW(read("%YAML 1.2\n---\na: b\n...\n# c\n"));
}

TEST(Yaml, BooleansAreThoseOfYaml) {
  const SubstitutedText text("[yes, On, TRUE, y, !!bool true, no, off, False, N]", {});
  const Document document(text, "f");
  std::string values;
  for (const Value& value : document.root().list()) values += value.boolean() ? '1' : '0';
  EXPECT_EQ(values, "111110000");
  const SubstitutedText wrong("[1, tRUE, !!str yes, \"\", ~, [], '!']", {});
  const Document wrong_document(wrong, "f");
  for (const Value& value : wrong_document.root().list()) {
    EXPECT_THAT(error_of([&] { value.boolean(); }).what(), HasSubstr("must be `true` or `false`"));
  }
}

TEST(Yaml, AliasesRepeatTheLatestValueOfTheirName) {
  const SubstitutedText text("{a: &x 1, b: *x, c: &x 2, d: *x}", {});
  const Document document(text, "f");
  EXPECT_THAT(document.root().assignments(),
              ElementsAre(Pair("a", "1"), Pair("b", "1"), Pair("c", "2"), Pair("d", "2")));
}

TEST(Yaml, NestingIsBounded) {
  const auto nested = [](int levels) {
    return std::string(static_cast<std::size_t>(levels), '[') + "a" +
           std::string(static_cast<std::size_t>(levels), ']');
  };
  EXPECT_NO_THROW(read(nested(500)));
  EXPECT_EQ(problem(nested(501)), "f:1:501: is nested too deeply: more than 500 levels");
}

}  // namespace
}  // namespace whittle::config
