// SPDX-License-Identifier: MIT
#include "flow/control_group.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace whittle::flow {
namespace {

constexpr const char* kMounts =
    "25 20 0:22 / /proc rw,nosuid - proc proc rw\n"
    "30 20 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "31 20 0:27 / /sys/fs/cg\\040v2 rw,nosuid shared:4 master:1 - cgroup2 cgroup2 rw\n";

TEST(ControlGroupFolder, IsFoundInTheMountOfVersion2) {
  EXPECT_EQ(control_group_folder("4:memory:/other\n0::/\n", kMounts), "/sys/fs/cg v2/");
  EXPECT_EQ(control_group_folder("0::/user.slice/a b\n", kMounts), "/sys/fs/cg v2/user.slice/a b");
}

TEST(ControlGroupFolder, IsRelativeToTheMountsRoot) {
  const std::string mounts = "31 20 0:27 /docker/x /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
  EXPECT_EQ(control_group_folder("0::/docker/x/y\n", mounts), "/sys/fs/cgroup/y");
  EXPECT_EQ(control_group_folder("0::/docker/other\n", mounts), "");
  EXPECT_EQ(control_group_folder("0::/\n", mounts), "");
}

TEST(ControlGroupFolder, IsNoneWithoutVersion2) {
  EXPECT_EQ(control_group_folder("4:memory:/x\n", kMounts), "");
  EXPECT_EQ(control_group_folder("0::/x\n", "30 20 0:26 / /c rw - cgroup cgroup rw,memory\n"), "");
  EXPECT_EQ(control_group_folder("0::/x\n", "a - b\n- cgroup2\n\n"), "");
  EXPECT_EQ(control_group_folder("", ""), "");
}

TEST(ControlGroup, KillsWhatIsInItAndGoes) {
  const ControlGroup group("unit-test-" + std::to_string(::getpid()));
  if (!group.exists()) GTEST_SKIP() << "no control group may be created here";
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const char joined = group.join() ? 1 : 0;
    [[maybe_unused]] const ssize_t n = ::write(pipe[1], &joined, 1);
    ::pause();
    ::_exit(0);
  }
  char joined = 0;
  EXPECT_EQ(::read(pipe[0], &joined, 1), 1);
  EXPECT_EQ(joined, 1);
  EXPECT_FALSE(group.remove());
  group.kill();
  if (joined != 1) ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT_TRUE(group.remove());
  ::close(pipe[0]);
  ::close(pipe[1]);
}

}  // namespace
}  // namespace whittle::flow
