// SPDX-License-Identifier: MIT
#include "common/outputs.h"

#include <gmock/gmock.h>

#include "tests/unit/common/scratch_test.h"

namespace whittle {
namespace {

using test::error_of;
using test::ScratchTest;
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

TEST_F(OutputsTest, ThatLieInATreeThatIsReadAreRefused) {
  std::filesystem::create_directories(folder / "tree/sub");
  std::filesystem::create_directory_symlink("tree/sub", folder / "link");
  for (const char* name : {"tree/new", "tree/sub/new", "tree/sub/../x/new", "link/new"}) {
    EXPECT_THAT(problem({"the source", folder / "tree", true}, {{"the image", folder / name}}),
                HasSubstr("is the image, in the folder"))
        << name;
  }
  refuse_collisions({{"the source", folder / "tree", true}, {"x", folder / "in", true}},
                    {{"a", folder / "tree2"}, {"b", folder / "new"}, {"c", "/dev/null"}});
  refuse_collisions({{"the source", folder / "tree"}}, {{"a", folder / "tree/new"}});
}

TEST_F(OutputsTest, MayBeAnythingElse) {
  refuse_collisions({{"in", folder / "in"}, {"none", ""}},
                    {{"a", folder / "a"}, {"b", folder / "b"}, {"none", ""}, {"none", ""}});
  refuse_collisions({}, {{"a", "/dev/null"}, {"b", "/dev/null"}});
}

}  // namespace
}  // namespace whittle
