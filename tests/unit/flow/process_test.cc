// SPDX-License-Identifier: MIT
#include "flow/process.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "tests/unit/flow/scratch.h"

namespace whittle::flow {
namespace {

using testing::ElementsAre;
using Clock = std::chrono::steady_clock;

class ProcessTest : public ScratchTest {
 protected:
  ProcessResult run(const std::string& command, std::stop_token stop = {}) {
    lines.clear();
    return run_process({.shell_command = command, .dir = folder, .env = env}, stop,
                       [&](std::string_view line) { lines.emplace_back(line); });
  }
  // True once no process with that id is running (a zombie that nobody reaps does not run).
  static bool is_gone(pid_t id) {
    for (int i = 0; i < 200; i++) {
      std::ifstream stat("/proc/" + std::to_string(id) + "/stat");
      std::string text;
      if (!std::getline(stat, text) || text.find(") Z") != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  std::vector<std::string> lines;
  std::vector<std::pair<std::string, std::string>> env;
};

TEST_F(ProcessTest, GivesBothStreamsLineByLine) {
  const ProcessResult result = run("echo one; echo two >&2; printf 'three\\r\\n\\nno end'");
  EXPECT_TRUE(result.ok());
  EXPECT_THAT(lines, ElementsAre("one", "two", "three", "", "no end"));
  EXPECT_EQ(result.tail, lines);
}

TEST_F(ProcessTest, RunsInItsFolderWithItsEnvironmentAndNoInput) {
  env = {{"GREETING", "hi = there"}, {"PATH", ::getenv("PATH")}};
  run("pwd; echo \"$GREETING\"; cat; ps -o pgid= -p $$ | tr -d ' '; echo $$");
  ASSERT_GE(lines.size(), 2u);
  EXPECT_EQ(lines[0], folder.native());
  EXPECT_EQ(lines[1], "hi = there");
}

TEST_F(ProcessTest, TellsHowItEnded) {
  EXPECT_EQ(run("exit 7").exit_status, 7);
  EXPECT_EQ(run("kill -TERM $$").signal, SIGTERM);
  EXPECT_EQ(run("no-such-command-anywhere").exit_status, 127);
}

TEST_F(ProcessTest, KeepsABoundedTail) {
  const ProcessResult result = run("i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done");
  EXPECT_EQ(lines.size(), 5000u);
  ASSERT_EQ(result.tail.size(), kTailLines);
  EXPECT_EQ(result.tail.back(), "line 4999");
}

TEST_F(ProcessTest, CutsEndlessLines) {
  const ProcessResult result = run("head -c 1000000 /dev/zero | tr '\\0' x");
  std::size_t total = 0;
  for (const std::string& line : lines) {
    EXPECT_LE(line.size(), kMaxLine);
    total += line.size();
  }
  EXPECT_EQ(total, 1000000u);
  EXPECT_EQ(result.tail.size(), kTailLines);
}

TEST_F(ProcessTest, CannotStartInAFolderThatIsNotThere) {
  folder /= "missing";
  const Error error = error_of([&] { run("true"); });
  EXPECT_EQ(error.kind(), ErrorKind::io);
}

TEST_F(ProcessTest, DoesNotWaitForWhatIsLeftRunning) {
  const auto start = Clock::now();
  EXPECT_TRUE(run("sleep 60 & echo $!").ok());
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(20));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(is_gone(std::stoi(lines[0])));
}

TEST_F(ProcessTest, StopsTheWholeGroup) {
  std::stop_source stop;
  std::vector<std::string> seen;
  const ProcessResult result = run_process(
      {.shell_command = "sleep 60 & echo $!; sleep 61 & echo $!; wait", .dir = folder, .env = {}},
      stop.get_token(), [&](std::string_view line) {
        seen.emplace_back(line);
        if (seen.size() == 2) stop.request_stop();
      });
  EXPECT_TRUE(result.stopped);
  EXPECT_FALSE(result.ok());
  ASSERT_EQ(seen.size(), 2u);
  for (const std::string& id : seen) EXPECT_TRUE(is_gone(std::stoi(id)));
}

TEST_F(ProcessTest, KillsWhatIgnoresTheRequest) {
  std::stop_source stop;
  const auto start = Clock::now();
  const ProcessResult result =
      run_process({.shell_command = "trap '' TERM; echo ready; while :; do sleep 1; done",
                   .dir = folder,
                   .env = {}},
                  stop.get_token(), [&](std::string_view) { stop.request_stop(); });
  EXPECT_TRUE(result.stopped);
  EXPECT_EQ(result.signal, SIGKILL);
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(20));
}

// An interrupt of the command ends the processes of its steps.
TEST_F(ProcessTest, SignalsReachTheGroup) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    end_processes_on_signals();
    try {
      run_process(
          {.shell_command = "echo $$ >id.new; mv id.new id; sleep 60", .dir = folder, .env = {}},
          {}, [](std::string_view) {});
    } catch (...) {
    }
    ::_exit(0);
  }
  for (int i = 0; i < 1000 && read("id").empty(); i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_FALSE(read("id").empty());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ASSERT_EQ(::kill(child, SIGTERM), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  EXPECT_TRUE(is_gone(std::stoi(read("id"))));
}

}  // namespace
}  // namespace whittle::flow
