// SPDX-License-Identifier: MIT
#include "flow/outputs.h"

#include <gmock/gmock.h>

#include "tests/unit/flow/scratch.h"

namespace whittle::flow {
namespace {

using testing::HasSubstr;

class OutputsTest : public ScratchTest {
 protected:
  OutputsTest() { write("in", "x"); }

  std::string problem(const NamedPath& input, const std::vector<NamedPath>& outputs) const {
    const Error error = error_of([&] { refuse_collisions({input}, outputs); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
};

TEST_F(OutputsTest, ThatAreInputsAreRefused) {
  std::filesystem::create_symlink("in", folder / "link");
  std::filesystem::create_hard_link(folder / "in", folder / "hard");
  std::filesystem::create_directory(folder / "sub");
  for (const char* name : {"in", "./in", "sub/../in", "link", "hard"}) {
    EXPECT_THAT(problem({"the input", folder / "in"}, {{"`--report`", folder / name}}),
                HasSubstr("is `--report` as well as the input"))
        << name;
  }
}

TEST_F(OutputsTest, ThatAreOneFileAreRefusedBeforeItExists) {
  EXPECT_THAT(problem({"", ""}, {{"a", folder / "new"}, {"b", ""}, {"c", folder / "./new"}}),
              HasSubstr("is c as well as a"));
}

TEST_F(OutputsTest, MayBeAnythingElse) {
  refuse_collisions({{"in", folder / "in"}, {"none", ""}},
                    {{"a", folder / "a"}, {"b", folder / "b"}, {"none", ""}, {"none", ""}});
  refuse_collisions({}, {{"a", "/dev/null"}, {"b", "/dev/null"}});
}

}  // namespace
}  // namespace whittle::flow
