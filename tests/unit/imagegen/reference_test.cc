// SPDX-License-Identifier: MIT
#include "imagegen/reference.h"

#include "testing.h"

namespace whittle::imagegen {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Case {
  const char *text, *familiar, *canonical, *tag;
};

class ReferenceTest : public ::testing::TestWithParam<Case> {};

TEST_P(ReferenceTest, IsNormalised) {
  const Reference reference = parse_reference(GetParam().text);
  EXPECT_EQ(reference.familiar, GetParam().familiar);
  EXPECT_EQ(reference.canonical, GetParam().canonical);
  EXPECT_EQ(reference.tag, GetParam().tag);
  EXPECT_EQ(parse_reference(reference.familiar).canonical, reference.canonical);
  EXPECT_EQ(parse_reference(reference.canonical).familiar, reference.familiar);
}

INSTANTIATE_TEST_SUITE_P(
    Names, ReferenceTest,
    ::testing::Values(
        Case{"hello", "hello:latest", "docker.io/library/hello:latest", "latest"},
        Case{"hello:1.0", "hello:1.0", "docker.io/library/hello:1.0", "1.0"},
        Case{"docker.io/library/hello:1.0", "hello:1.0", "docker.io/library/hello:1.0", "1.0"},
        Case{"docker.io/hello", "hello:latest", "docker.io/library/hello:latest", "latest"},
        Case{"library/hello:2", "hello:2", "docker.io/library/hello:2", "2"},
        Case{"library/a/b", "library/a/b:latest", "docker.io/library/a/b:latest", "latest"},
        Case{"team/hello", "team/hello:latest", "docker.io/team/hello:latest", "latest"},
        Case{"localhost/hello", "localhost/hello:latest", "localhost/hello:latest", "latest"},
        Case{"localhost:5000/a/b:v1", "localhost:5000/a/b:v1", "localhost:5000/a/b:v1", "v1"},
        Case{"registry.example:443/x", "registry.example:443/x:latest",
             "registry.example:443/x:latest", "latest"},
        Case{"a--b__c.d_e:_T", "a--b__c.d_e:_T", "docker.io/library/a--b__c.d_e:_T", "_T"}));

TEST(Reference, RefusesWhatRegistriesRefuse) {
  for (const char* text : {"",
                           ":1",
                           "Hello",
                           "hello:",
                           "hello:-x",
                           "hello:.x",
                           "hello:a b",
                           "hello:a/b/",
                           "a//b",
                           "/a",
                           "a/",
                           "a..b",
                           "a.-b",
                           "a___b",
                           "-a",
                           "a-",
                           "a:b:c",
                           "ho st.x/a",
                           "registry.example:/a",
                           "registry.example:x/a",
                           "a\nb",
                           "-.x/a",
                           "a@sha256:00"}) {
    EXPECT_ERROR(parse_reference(text), usage, HasSubstr("image name"));
  }
  EXPECT_ERROR(parse_reference("a:" + std::string(129, 'x')), usage, HasSubstr("up to 128"));
  EXPECT_NO_THROW(parse_reference("a:" + std::string(128, 'x')));
  EXPECT_ERROR(parse_reference(std::string(256, 'x')), usage, HasSubstr("255 are allowed"));
}

TEST(Reference, SaysWhatIsWrong) {
  EXPECT_ERROR(parse_reference("Hello:1"), usage,
               AllOf(HasSubstr("'Hello:1'"), HasSubstr("part 'Hello'"), HasSubstr("lower-case")));
  EXPECT_ERROR(parse_reference("a@sha256:0"), usage, HasSubstr("named by a tag"));
  EXPECT_ERROR(parse_reference("a\x1b[31m"), usage, HasSubstr("a\\x1b[31m"));
}

}  // namespace
}  // namespace whittle::imagegen
