// SPDX-License-Identifier: MIT
#include "common/user_database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace whittle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kPasswd =
    "root:x:0:7:root:/root:/bin/sh\n"
    "broken\n"
    "app:x:1000:1001::/:\n"
    "odd:x:many:1::/:\n"
    "late:x:1000:9::/:\n";
constexpr std::string_view kGroup = "root:x:0:\nstaff:x:50:app,other\ndisk:x:6:other,app\nbad:x\n";

std::string who(std::string_view user) {
  const Identity found = find_identity(user, kPasswd, kGroup);
  return found.problem.empty() ? std::to_string(found.user) + ":" + std::to_string(found.group)
                               : found.problem;
}

TEST(UserDatabase, FindsNamesAndNumbers) {
  EXPECT_EQ(who("app"), "1000:1001");
  EXPECT_EQ(who("1000"), "1000:1001");  // the first line counts
  EXPECT_EQ(who("late"), "1000:9");
  EXPECT_EQ(who("4242"), "4242:0");  // needs no line
  EXPECT_EQ(who("app:staff"), "1000:50");
  EXPECT_EQ(who("app:4242"), "1000:4242");
  EXPECT_EQ(who("4242:disk"), "4242:6");
  EXPECT_EQ(who(""), "0:7");  // root, as its line says
  EXPECT_EQ(who("0"), "0:7");
  EXPECT_THAT(find_identity("app", kPasswd, kGroup).groups, ElementsAre(50u, 6u));
  EXPECT_THAT(find_identity("app:0", kPasswd, kGroup).groups, IsEmpty());
}

TEST(UserDatabase, NumbersNeedNoFiles) {
  const Identity found = find_identity("65532:65532", std::nullopt, std::nullopt);
  EXPECT_EQ(found.problem, "");
  EXPECT_EQ(found.user, 65532u);
  EXPECT_EQ(found.group, 65532u);
  EXPECT_EQ(find_identity("", std::nullopt, std::nullopt).problem, "");
}

TEST(UserDatabase, NamesDo) {
  EXPECT_EQ(who("nobody"), "has no line for the user `nobody` in /etc/passwd");
  EXPECT_EQ(who("odd"), "has no line for the user `odd` in /etc/passwd");
  EXPECT_EQ(who("app:wheel"), "has no line for the group `wheel` in /etc/group");
  EXPECT_EQ(find_identity("app", std::nullopt, kGroup).problem,
            "has no /etc/passwd to look up the user `app`");
  EXPECT_EQ(find_identity("1:staff", kPasswd, std::nullopt).problem,
            "has no /etc/group to look up the group `staff`");
  EXPECT_THAT(who("99999999999"), HasSubstr("no line"));
}

}  // namespace
}  // namespace whittle
