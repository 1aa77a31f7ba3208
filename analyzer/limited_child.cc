// SPDX-License-Identifier: MIT
//
// fork without exec: a library cannot know the name of the program that it is linked into, so there
// is nothing to exec. In a multi-threaded program the child then has one thread and copies of locks
// that others may have held. glibc resets its own (allocator, stdio, loader) in fork; `work` must
// not use locks that other threads of this program take. If one is stuck nevertheless, the
// wall-clock limit ends the child like any other hang.
//
// The child lets go of all that it inherited: descriptors (it would keep other children's pipes
// open), signal handlers (they would clean up the parent's files), the terminal. The answer is a
// 64-bit length and that many bytes, so the parent does not depend on the end of the pipe. The
// child leaves by _exit: no destructors or exit handlers of the parent run twice.
#include "analyzer/limited_child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <system_error>

#include "common/file_descriptor.h"
#include "common/signals.h"

namespace whittle::analyzer {
namespace {

constexpr int kAnswerDescriptor = 3;
constexpr int kExitThrown = 1;
constexpr int kExitTooLong = 2;
constexpr int kExitNoSetUp = 3;

// AddressSanitizer reserves terabytes of addresses; a limit on them would end it at once.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kLimitAddressSpace = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kLimitAddressSpace = false;
#else
constexpr bool kLimitAddressSpace = true;
#endif
#else
constexpr bool kLimitAddressSpace = true;
#endif

std::string describe_errno(std::string_view doing, int error) {
  return fmt::format("{}: {}", doing, std::generic_category().message(error));
}

bool limit(decltype(RLIMIT_AS) resource, rlim_t soft, rlim_t hard) {
  rlimit current{};
  if (::getrlimit(resource, &current) != 0) return false;
  const rlimit wanted{std::min(soft, current.rlim_max), std::min(hard, current.rlim_max)};
  return ::setrlimit(resource, &wanted) == 0;
}

bool set_limits(const ChildLimits& limits) {
  if (kLimitAddressSpace && !limit(RLIMIT_AS, limits.address_space, limits.address_space)) {
    return false;
  }
  return limit(RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1) &&
         limit(RLIMIT_CORE, 0, 0) && limit(RLIMIT_FSIZE, 0, 0);
}

// Moves the pipe to descriptor 3, points 0 to 2 at /dev/null and closes everything else.
bool set_descriptors(int pipe) {
  // Either may itself be one of 0 to 3, in a process that was started without them.
  constexpr int kOutOfTheWay = 10;
  const int answer = ::fcntl(pipe, F_DUPFD, kOutOfTheWay);
  const int null = ::fcntl(::open("/dev/null", O_RDWR), F_DUPFD, kOutOfTheWay);
  if (answer < 0 || null < 0 || ::dup2(answer, kAnswerDescriptor) < 0) return false;
  for (int i = 0; i < kAnswerDescriptor; i++) {
    if (::dup2(null, i) < 0) return false;
  }
  if (::syscall(SYS_close_range, kAnswerDescriptor + 1, ~0u, 0) == 0) return true;
  for (int i = kAnswerDescriptor + 1; i < 1024; i++) ::close(i);  // Linux before 5.9
  return true;
}

void reset_signals(const sigset_t& mask) {
  restore_default_signals();
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
}

bool write_all(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(kAnswerDescriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

[[noreturn]] void run_child(const std::function<Bytes()>& work, const ChildLimits& limits, int pipe,
                            const sigset_t& mask) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_DUMPABLE, 0);
  if (!set_descriptors(pipe)) ::_exit(kExitNoSetUp);
  reset_signals(mask);
  if (!set_limits(limits)) ::_exit(kExitNoSetUp);
  try {
    const Bytes answer = work();
    if (answer.size() > limits.answer) ::_exit(kExitTooLong);
    const std::uint64_t length = answer.size();
    std::array<std::uint8_t, sizeof length> head{};
    std::memcpy(head.data(), &length, sizeof length);
    ::_exit(write_all(head) && write_all(answer) ? 0 : kExitThrown);
  } catch (...) {
    ::_exit(kExitThrown);
  }
}

using Clock = std::chrono::steady_clock;

// Reads exactly `size` bytes, or says why not.
std::string read_until(int pipe, std::uint64_t size, Clock::time_point deadline, Bytes* bytes) {
  bytes->clear();
  while (bytes->size() < size) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return "took too long";
    pollfd wait{pipe, POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(std::min<long long>(left, 60000)));
    if (ready < 0 && errno != EINTR) return describe_errno("cannot wait for an answer", errno);
    if (ready <= 0) continue;
    std::array<std::uint8_t, 65536> buffer;
    const auto room = std::min<std::uint64_t>(buffer.size(), size - bytes->size());
    const ssize_t n = ::read(pipe, buffer.data(), room);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return describe_errno("cannot read the answer", errno);
    if (n == 0) return "gave no answer";
    bytes->insert(bytes->end(), buffer.begin(), buffer.begin() + n);
  }
  return {};
}

std::string read_answer(int pipe, const ChildLimits& limits, Bytes* answer) {
  const auto deadline = Clock::now() + limits.wall_clock;
  Bytes head;
  std::uint64_t length = 0;
  if (auto problem = read_until(pipe, sizeof length, deadline, &head); !problem.empty()) {
    return problem;
  }
  std::memcpy(&length, head.data(), sizeof length);
  if (length > limits.answer) return "gave an answer that is too long";
  return read_until(pipe, length, deadline, answer);
}

// Why a child that gave no answer ended, where its status tells; otherwise `problem`.
std::string describe_end(int status, std::string problem) {
  if (problem == "took too long") return problem;  // it was ours to end it
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    if (number == SIGXCPU) return "used up its processor time";
    return fmt::format("died of signal {} ({})", number, ::strsignal(number));
  }
  if (WIFEXITED(status)) {
    switch (WEXITSTATUS(status)) {
      case kExitThrown:
        return "gave up, or ran out of memory";
      case kExitTooLong:
        return "has more to say than there is room for";
      case kExitNoSetUp:
        return "could not be given its limits";
      default:
        break;
    }
  }
  return problem;
}

}  // namespace

ChildAnswer run_limited(const std::function<Bytes()>& work, const ChildLimits& limits) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {{}, describe_errno("cannot start", errno)};
  FileDescriptor our_end(ends[0]), its_end(ends[1]);

  // No signal may reach a handler of ours in the child before it has let go of them.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = ::fork();
  const int fork_error = errno;
  if (child == 0) run_child(work, limits, its_end.get(), before);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  its_end.reset();
  if (child < 0) return {{}, describe_errno("cannot start", fork_error)};

  ChildAnswer answer;
  Bytes bytes;
  answer.problem = read_answer(our_end.get(), limits, &bytes);
  our_end.reset();
  // With or without a full answer the child is no longer needed.
  // A child that has ended keeps its number and its status until it is waited for.
  ::kill(child, SIGKILL);
  int status = 0;
  pid_t waited = 0;
  do {
    waited = ::waitpid(child, &status, 0);
  } while (waited < 0 && errno == EINTR);
  if (answer.problem.empty()) {
    answer.bytes = std::move(bytes);
  } else if (waited == child) {
    answer.problem = describe_end(status, std::move(answer.problem));
  }
  return answer;
}

}  // namespace whittle::analyzer
