// SPDX-License-Identifier: MIT
#include "config/policy_file.h"

#include <gmock/gmock.h>

#include "tests/unit/common/scratch_test.h"

namespace whittle::config {
namespace {

using test::error_of;
using test::ScratchTest;
using testing::EndsWith;

class PolicyFileTest : public ScratchTest {
 protected:
  std::string problem(const std::string& text) {
    write("policy.yml", text);
    analyzer::Policy policy;
    const Error error = error_of([&] { read_policy(folder / "policy.yml", policy); });
    EXPECT_EQ(error.kind(), ErrorKind::usage) << text;
    return error.what();
  }
};

TEST_F(PolicyFileTest, ReadsItsRules) {
  write("policy.yml", "require: [static, \"go>=1.22\"]\n");
  analyzer::Policy policy;
  read_policy(folder / "policy.yml", policy);
  EXPECT_FALSE(policy.empty());
}

TEST_F(PolicyFileTest, MistakesHaveAPlace) {
  EXPECT_THAT(problem("require:\n  - static\n  - \"nx\n"),
              EndsWith("policy.yml:3:5: the quote that begins here is never closed"));
  EXPECT_THAT(problem("require:\n  - static\n  - \"nx\n  - \"relro\"\n"),
              testing::HasSubstr("policy.yml:3:5: the quote (\") that begins here is not closed"));
  EXPECT_THAT(problem("require: [static, !secret nx]\n"),
              EndsWith("policy.yml:1:19: `require[1]`: the tag `!secret` has no meaning here; "
                       "leave it out"));
  EXPECT_THAT(
      problem("require:\n\t- static\n"),
      EndsWith("policy.yml:2:1: a tab is where YAML takes only spaces; indent with spaces"));
  EXPECT_THAT(problem("require: [\xff]\n"), EndsWith("policy.yml:1:11: is not UTF-8 text"));
  EXPECT_THAT(problem("require: [static]\x04, nx]\n"),
              testing::HasSubstr("policy.yml:1:18: there is the character U+0004"));
  EXPECT_THAT(problem("require: [static, nX]\n"),
              testing::HasSubstr("policy.yml:1:19: `require[1]` is wrong: "));
  EXPECT_THAT(problem("require: static\n"),
              EndsWith("policy.yml:1:10: `require` is a text, but must be a list"));
  EXPECT_THAT(problem("require: [static]\nrequire: [nx]\n"),
              EndsWith("policy.yml:2:1: the key `require` is given twice"));
  EXPECT_THAT(problem("requires: [static]\n"),
              EndsWith("policy.yml:1:1: unknown key `requires`; did you mean `require`?"));
  EXPECT_THAT(problem(""), EndsWith("policy.yml:1:1: is empty, but must be a mapping"));
}

}  // namespace
}  // namespace whittle::config
