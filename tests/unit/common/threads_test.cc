// SPDX-License-Identifier: MIT
#include "common/threads.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>

namespace whittle {
namespace {

TEST(Threads, ShareOutTheWork) {
  std::atomic<int> next = 0, sum = 0, calls = 0;
  run_on_threads(4, [&] {
    calls++;
    for (int i; (i = next++) < 1000;) sum += i;
  });
  EXPECT_EQ(sum, 999 * 1000 / 2);
  EXPECT_EQ(calls, 4);
}

TEST(Threads, CallMeanwhile) {
  std::atomic<bool> seen = false;
  run_on_threads(
      1,
      [&] {
        while (!seen) std::this_thread::yield();
      },
      [&] { seen = true; });
  EXPECT_TRUE(seen);
}

TEST(Threads, HandOnWhatIsThrown) {
  EXPECT_THROW(run_on_threads(2, [] { throw std::runtime_error("no"); }), std::runtime_error);
}

// In a process of its own, where a limit leaves no room for a thread's stack: whoever is root may
// start as many threads as it likes.
TEST(Threads, FewerDoTheWorkWhereTheSystemRefusesMore) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer needs the address space that the limit takes away";
#endif
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_AS, &none);
    std::atomic<int> calls = 0;  // stacks of former threads are used again, but not so many
    run_on_threads(64, [&] { calls++; });
    ::_exit(calls >= 1 && calls < 64 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace whittle
