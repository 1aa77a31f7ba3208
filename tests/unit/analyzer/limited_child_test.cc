// SPDX-License-Identifier: MIT
#include "analyzer/limited_child.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <vector>

namespace whittle::analyzer {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// No child may be left, running or as a zombie.
void expect_no_children() {
  errno = 0;
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (int fd = 0; fd < 1024; fd++) {
    if (::fcntl(fd, F_GETFD) >= 0) count++;
  }
  return count;
}

class LimitedChild : public testing::Test {
 protected:
  void TearDown() override {
    expect_no_children();
    EXPECT_EQ(open_descriptors(), descriptors_);
  }
  const std::size_t descriptors_ = open_descriptors();
};

TEST_F(LimitedChild, BringsBackTheAnswer) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{3'000'000}}) {
    const ChildAnswer answer = run_limited([&] { return Bytes(size, 'x'); });
    ASSERT_TRUE(answer.bytes) << answer.problem;
    EXPECT_EQ(*answer.bytes, Bytes(size, 'x'));
  }
}

TEST_F(LimitedChild, TellsThatItThrew) {
  const ChildAnswer answer = run_limited([]() -> Bytes { throw std::runtime_error("no"); });
  EXPECT_FALSE(answer.bytes);
  EXPECT_THAT(answer.problem, HasSubstr("gave up"));
}

TEST_F(LimitedChild, TellsTheSignalItDiedOf) {
  const ChildAnswer answer = run_limited([]() -> Bytes {
    ::raise(SIGKILL);
    return {};
  });
  EXPECT_FALSE(answer.bytes);
  EXPECT_THAT(answer.problem, HasSubstr("signal 9"));
  const ChildAnswer aborted = run_limited([]() -> Bytes { std::abort(); });
  EXPECT_THAT(aborted.problem, HasSubstr("signal 6"));
}

TEST_F(LimitedChild, EndsWhatTakesTooLong) {
  ChildLimits limits;
  limits.wall_clock = std::chrono::milliseconds(200);
  const auto start = std::chrono::steady_clock::now();
  const ChildAnswer answer = run_limited(
      []() -> Bytes {
        for (;;) ::pause();
      },
      limits);
  EXPECT_FALSE(answer.bytes);
  EXPECT_EQ(answer.problem, "took too long");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

// It closes its end of the pipe and stays: neither an answer nor an end.
TEST_F(LimitedChild, EndsWhatHidesBehindAClosedPipe) {
  const auto start = std::chrono::steady_clock::now();
  const ChildAnswer answer = run_limited([]() -> Bytes {
    ::close(3);
    for (;;) ::pause();
  });
  EXPECT_FALSE(answer.bytes);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST_F(LimitedChild, EndsWhatUsesUpItsProcessorTime) {
  ChildLimits limits;
  limits.cpu_seconds = 1;
  const ChildAnswer answer = run_limited(
      []() -> Bytes {
        std::atomic<int> spin = 0;
        for (;;) spin++;
      },
      limits);
  EXPECT_FALSE(answer.bytes);
  EXPECT_THAT(answer.problem, HasSubstr("processor time"));
}

TEST_F(LimitedChild, LimitsMemory) {
  if (kSanitized) GTEST_SKIP() << "AddressSanitizer rules out a limit on addresses";
  ChildLimits limits;
  limits.address_space = std::uint64_t{256} << 20;
  const ChildAnswer answer = run_limited([] { return Bytes(std::size_t{1} << 30, 'x'); }, limits);
  EXPECT_FALSE(answer.bytes);
  EXPECT_THAT(answer.problem, HasSubstr("ran out of memory"));
}

TEST_F(LimitedChild, TakesNoAnswerThatIsTooLong) {
  ChildLimits limits;
  limits.answer = 1000;
  EXPECT_TRUE(run_limited([] { return Bytes(1000); }, limits).bytes);
  EXPECT_THAT(run_limited([] { return Bytes(1001); }, limits).problem, HasSubstr("room"));
  // Nor believes a length that it claims.
  const ChildAnswer liar = run_limited([]() -> Bytes {
    const std::uint64_t length = UINT64_MAX;
    if (::write(3, &length, sizeof length) != sizeof length) ::_exit(9);
    ::_exit(0);
  });
  EXPECT_FALSE(liar.bytes);
  const ChildAnswer cut = run_limited([]() -> Bytes {
    const std::uint64_t length = 100;
    if (::write(3, &length, sizeof length) != sizeof length) ::_exit(9);
    ::_exit(0);
  });
  EXPECT_FALSE(cut.bytes);
  EXPECT_EQ(cut.problem, "gave no answer");
}

TEST_F(LimitedChild, IsSilentAndHoldsNothingOfTheParents) {
  const int inherited = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  ASSERT_GE(inherited, 3);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const ChildAnswer answer = run_limited([inherited]() -> Bytes {
    std::printf("chatter\n");
    std::fflush(stdout);
    std::fprintf(stderr, "chatter\n");
    const bool open = inherited != 3 && ::fcntl(inherited, F_GETFD) >= 0;
    struct sigaction action {};
    ::sigaction(SIGTERM, nullptr, &action);
    return {static_cast<std::uint8_t>(open), action.sa_handler == SIG_DFL};
  });
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  ::close(inherited);
  ASSERT_TRUE(answer.bytes);
  EXPECT_EQ(*answer.bytes, (Bytes{0, 1}));
}

TEST_F(LimitedChild, HandlersOfTheParentDoNotRunInIt) {
  const auto previous = ::signal(SIGTERM, [](int) {});
  const ChildAnswer answer = run_limited([]() -> Bytes {
    ::raise(SIGTERM);
    return {};
  });
  ::signal(SIGTERM, previous);
  EXPECT_THAT(answer.problem, HasSubstr("signal 15"));
}

TEST_F(LimitedChild, WorksWhereChildrenAreNotWaitedFor) {
  const auto previous = ::signal(SIGCHLD, SIG_IGN);
  const ChildAnswer good = run_limited([] { return Bytes{1}; });
  const ChildAnswer bad = run_limited([]() -> Bytes { throw 1; });
  ::signal(SIGCHLD, previous);
  EXPECT_TRUE(good.bytes);
  EXPECT_FALSE(bad.bytes);
  EXPECT_NE(bad.problem, "");
}

TEST_F(LimitedChild, WorksFromManyThreads) {
  std::atomic<bool> stop = false;
  std::thread busy([&] {  // holds the allocator's lock as often as it can
    while (!stop) Bytes(1 << 16).swap(*std::make_unique<Bytes>());
  });
  // GCC 12's AddressSanitizer does not reset the locks of its allocator in a forked child, so that
  // a child may hang there; the limit must then end it. In other builds every answer comes.
  ChildLimits limits;
  if (kSanitized) limits.wall_clock = std::chrono::seconds(2);
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (std::uint8_t t = 0; t < 4; t++) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; i++) {
        const ChildAnswer answer = run_limited([t] { return Bytes(100'000, t); }, limits);
        const bool ended = kSanitized && answer.problem == "took too long";
        if (ended || answer.bytes == Bytes(100'000, t)) right++;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop = true;
  busy.join();
  EXPECT_EQ(right, 40);
}

}  // namespace
}  // namespace whittle::analyzer
