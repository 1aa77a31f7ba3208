// SPDX-License-Identifier: MIT
#include "flow/descendants.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace whittle::flow {
namespace {

TEST(ParseStat, ReadsNamesOfAnyCharacters) {
  const auto entry = parse_stat("123 (a) S 1 (b) Z 45 67 67 0 -1 4194560 1\n");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->id, 123);
  EXPECT_EQ(entry->name, "a) S 1 (b");
  EXPECT_EQ(entry->state, 'Z');
  EXPECT_FALSE(entry->is_running());
  EXPECT_EQ(entry->parent, 45);
  EXPECT_EQ(entry->group, 67);
}

TEST(ParseStat, RefusesOtherText) {
  for (const char* text :
       {"", "1 x S 1 1", "1 (x", ") 1 (", "x (y) S 1 1", "1 (x) S", "1 (x) S a 1"}) {
    EXPECT_FALSE(parse_stat(text)) << text;
  }
}

TEST(Descendants, FindsChildrenOfChildren) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const pid_t grandchild = ::fork();
    if (grandchild > 0) {
      [[maybe_unused]] const ssize_t n = ::write(pipe[1], &grandchild, sizeof grandchild);
    }
    ::pause();
    ::_exit(0);
  }
  pid_t grandchild = 0;
  ASSERT_EQ(::read(pipe[0], &grandchild, sizeof grandchild),
            static_cast<ssize_t>(sizeof grandchild));
  const auto found = descendants();
  ::kill(grandchild, SIGKILL);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(pipe[0]);
  ::close(pipe[1]);
  ASSERT_TRUE(found);
  for (const pid_t id : {child, grandchild}) {
    const auto entry = std::find_if(found->begin(), found->end(),
                                    [&](const ProcessEntry& one) { return one.id == id; });
    ASSERT_NE(entry, found->end());
    EXPECT_TRUE(entry->is_running());
    EXPECT_EQ(entry->name, "flow_test");
    EXPECT_EQ(entry->parent, id == child ? ::getpid() : child);
    EXPECT_EQ(entry->group, ::getpgrp());
  }
  EXPECT_TRUE(std::none_of(found->begin(), found->end(),
                           [](const ProcessEntry& one) { return one.id == ::getpid(); }));
}

}  // namespace
}  // namespace whittle::flow
