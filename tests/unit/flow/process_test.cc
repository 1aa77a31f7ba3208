// SPDX-License-Identifier: MIT
#include "flow/process.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <thread>

#include "flow/line_reader.h"
#include "tests/unit/common/scratch_test.h"

namespace whittle::flow {
namespace {

using test::error_of;
using test::ScratchTest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Clock = std::chrono::steady_clock;

// True once no process with that id is running (a zombie that nobody reaps does not run).
bool is_gone(pid_t id) {
  for (int i = 0; i < 500; i++) {
    std::ifstream stat("/proc/" + std::to_string(id) + "/stat");
    std::string text;
    if (!std::getline(stat, text) || text.find(") Z") != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

class ProcessTest : public ScratchTest {
 protected:
  // Calls `on_line` for each line, with what ends the command.
  using OnLine = std::function<void(Supervisor&, std::string_view)>;
  ProcessResult run(const std::string& script, const OnLine& on_line = {}) {
    lines.clear();
    commands.clear();
    const std::vector<Command> all = {{.script = script, .dir = folder.native(), .env = env}};
    Supervisor supervisor(all, grace);
    return supervisor.run(
        0, {.on_command = [&](std::string_view line) { commands.emplace_back(line); },
            .on_line =
                [&](std::string_view line) {
                  lines.emplace_back(line);
                  if (on_line) on_line(supervisor, line);
                }});
  }
  // A process that has told its id in a file.
  pid_t id_in(const std::string& name) const {
    for (int i = 0; i < 1000 && read(name).empty(); i++) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    const std::string text = read(name);
    return text.empty() ? 0 : std::stoi(text);
  }

  std::chrono::milliseconds grace{1000};
  std::vector<std::string> lines, commands;
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
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0], folder.native());
  EXPECT_EQ(lines[1], "hi = there");
  EXPECT_EQ(lines[2], lines[3]);
}

// A script of many lines is run, whatever they add up to.
TEST_F(ProcessTest, RunsTheLongestScript) {
  std::string script;
  for (std::size_t i = 1; i < kMaxScriptLines; i++) {
    script += ": " + std::string(kMaxScriptBytes / kMaxScriptLines - 3, 'x') + "\n";
  }
  script += "echo end";
  ASSERT_EQ(problem_of_script(script), "");
  EXPECT_TRUE(run(script).ok());
  EXPECT_EQ(commands.size(), kMaxScriptLines);
  EXPECT_THAT(lines, ElementsAre("end"));
}

// Nothing of whittle's reaches a command: no descriptor, no blocked or ignored signal, no terminal.
TEST_F(ProcessTest, InheritsNothing) {
  // 33 is glibc's own, which is ignored in whatever its posix_spawn has started.
  for (const int number : {SIGHUP, SIGUSR2, 33}) {
    const std::array<sighandler_t, 8> ignore{SIG_IGN};
    ASSERT_EQ(::syscall(SYS_rt_sigaction, number, ignore.data(), nullptr, 8), 0);
  }
  run("ls /proc/self/fd | tr '\\n' ' '; grep -E 'Sig(Blk|Ign)' /proc/self/status | cut -f 2; "
      "(exec </dev/tty) 2>/dev/null || echo none");
  // The fourth is the folder that `ls` reads.
  EXPECT_THAT(lines, ElementsAre("0 1 2 3 0000000000000000", "0000000000000000", "none"));
}

TEST_F(ProcessTest, TellsHowItEnded) {
  EXPECT_EQ(run("exit 7").exit_status, 7);
  EXPECT_EQ(run("kill -TERM $$").signal, SIGTERM);
  EXPECT_EQ(run("no-such-command-anywhere").exit_status, 127);
}

TEST_F(ProcessTest, RunsOneCommandAfterTheOther) {
  std::vector<Command> all;
  for (int i = 0; i < 20; i++) {
    all.push_back({.script = "printf " + std::to_string(i), .dir = folder.native(), .env = {}});
  }
  Supervisor supervisor(all);
  for (std::size_t i = 0; i < all.size(); i++) {
    EXPECT_THAT(supervisor.run(i, {[](std::string_view) {}, [](std::string_view) {}}).tail,
                ElementsAre(std::to_string(i)));
  }
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
  for (const char* script : {"true", "true\ntrue"}) {
    const Error error = error_of([&] { run(script); });
    EXPECT_EQ(error.kind(), ErrorKind::io);
    EXPECT_THAT(error.what(), HasSubstr("missing: cannot start /bin/sh in this folder"));
  }
}

TEST_F(ProcessTest, AScriptStopsAtItsFirstFailingLine) {
  const ProcessResult result = run("echo one\n(exit 3) && echo two\necho three\n");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(result.last_lines, (LineRange{2, 2}));
  EXPECT_THAT(commands, ElementsAre("echo one", "(exit 3) && echo two"));
  EXPECT_THAT(lines, ElementsAre("one"));
}

TEST_F(ProcessTest, LinesOfAScriptComeAsTheyRun) {
  std::vector<std::string> log;
  const std::vector<Command> all = {
      {.script = "printf one\nfor i in 2 3; do\n\techo $i\ndone\n\n# last\necho four >&2\n",
       .dir = folder.native(),
       .env = {}}};
  Supervisor supervisor(all);
  supervisor.run(
      0, {.on_command = [&](std::string_view line) { log.push_back("$ " + std::string(line)); },
          .on_line = [&](std::string_view line) { log.emplace_back(line); }});
  EXPECT_THAT(log, ElementsAre("$ printf one", "one", "$ for i in 2 3; do", "$ \techo $i", "$ done",
                               "2", "3", "$ # last", "$ echo four >&2", "four"));
}

TEST_F(ProcessTest, EndsWhatIsLeftRunning) {
  const auto start = Clock::now();
  const ProcessResult result = run("sleep 60 & echo $!");
  EXPECT_TRUE(result.ok());
  EXPECT_FALSE(result.killed);
  EXPECT_EQ(result.left, "sleep");
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(5));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(is_gone(std::stoi(lines[0])));
}

// What is about to end by itself may do so: `tee` has the last of the output.
TEST_F(ProcessTest, LetsTheEndOfAPipelineEnd) {
  const ProcessResult result = run("mkfifo f; (sleep 0.05; tee copy <f) & echo last >f");
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.left, "");
  EXPECT_THAT(lines, ElementsAre("last"));
}

TEST_F(ProcessTest, EndsProcessesInSessionsOfTheirOwn) {
  // A daemon in the manner of daemon(3): two forks and a session between, holding the output open.
  const ProcessResult result =
      run("setsid sh -c 'sh -c \"echo \\$\\$ >id.new; mv id.new id; exec sleep 60\" &' & "
          "until [ -e id ]; do sleep 0.01; done");
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.left, "sleep");
  EXPECT_TRUE(is_gone(id_in("id")));
}

TEST_F(ProcessTest, KillsWhatIgnoresItsEnd) {
  const auto start = Clock::now();
  const ProcessResult result = run(
      "setsid sh -c 'trap \"\" TERM; echo $$ >id.new; mv id.new id; while :; do sleep 1; done' & "
      "until [ -e id ]; do sleep 0.01; done");
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(result.killed);
  EXPECT_THAT(result.left, HasSubstr("sh"));
  EXPECT_EQ(result.survivors, "");
  EXPECT_TRUE(is_gone(id_in("id")));
  EXPECT_GE(Clock::now() - start, grace);
}

TEST_F(ProcessTest, EndsStoppedProcesses) {
  grace = std::chrono::minutes(1);
  const auto start = Clock::now();
  const ProcessResult result = run("sleep 60 & kill -STOP $!; echo $!");
  EXPECT_FALSE(result.killed);
  EXPECT_LT(Clock::now() - start, grace);
  EXPECT_TRUE(is_gone(std::stoi(lines.at(0))));
}

// Each process forks its successor and ends: no list of processes is ever up to date.
TEST_F(ProcessTest, EndsAProcessThatIsAlwaysAnother) {
  write("chain.sh", "trap '' TERM\n[ -e stop ] || sh chain.sh &\n");
  const ProcessResult result = run("sh chain.sh & sleep 0.1");
  EXPECT_EQ(result.survivors, "");
  write("stop", "");
  EXPECT_TRUE(result.ok());
}

TEST_F(ProcessTest, EndPassesTheSignalOnToAllProcesses) {
  const ProcessResult result =
      run("trap 'echo handled' HUP; setsid sh -c 'trap \"echo too; exit\" HUP; echo ready; "
          "sleep 60 & wait' & echo ready; sleep 60 & wait",
          [&](Supervisor& supervisor, std::string_view) {
            if (lines.size() == 2) supervisor.end(SIGHUP);
          });
  EXPECT_TRUE(result.stopped);
  EXPECT_FALSE(result.ok());
  EXPECT_FALSE(result.killed);
  EXPECT_THAT(lines, testing::UnorderedElementsAre("ready", "ready", "handled", "too"));
}

// A shell makes what it starts in the background ignore SIGINT. Such processes are not waited for
// when the shell itself has heeded the signal.
TEST_F(ProcessTest, AnInterruptEndsWhatRunsInTheBackground) {
  grace = std::chrono::minutes(1);
  const auto start = Clock::now();
  const ProcessResult result =
      run("trap 'sleep 0.5; echo cleaned up; exit' INT; sleep 60 & echo ready; while :; do sleep "
          "0.1; done",
          [](Supervisor& supervisor, std::string_view line) {
            if (line == "ready") supervisor.end(SIGINT);
          });
  EXPECT_TRUE(result.stopped);
  EXPECT_FALSE(result.killed);
  EXPECT_THAT(lines, ElementsAre("ready", "cleaned up"));
  EXPECT_LT(Clock::now() - start, grace);
}

TEST_F(ProcessTest, EndKillsWhatIgnoresIt) {
  const auto start = Clock::now();
  const ProcessResult result =
      run("trap '' TERM; echo ready; while :; do sleep 1; done",
          [](Supervisor& supervisor, std::string_view) { supervisor.end(SIGTERM); });
  EXPECT_TRUE(result.stopped);
  EXPECT_TRUE(result.killed);
  EXPECT_EQ(result.signal, SIGKILL);
  EXPECT_GE(Clock::now() - start, grace);
}

TEST_F(ProcessTest, ASecondEndNeedNotWait) {
  grace = std::chrono::minutes(1);
  const auto start = Clock::now();
  const ProcessResult result =
      run("trap 'echo not yet' TERM; echo ready; while :; do sleep 1; done",
          [](Supervisor& supervisor, std::string_view line) {
            supervisor.end(line == "ready" ? SIGTERM : SIGKILL);
          });
  EXPECT_TRUE(result.stopped);
  EXPECT_LT(Clock::now() - start, grace);
}

TEST_F(ProcessTest, NothingStartsAfterTheEnd) {
  const std::vector<Command> all = {{.script = "touch ran", .dir = folder.native(), .env = {}}};
  Supervisor supervisor(all);
  supervisor.end(SIGTERM);
  EXPECT_TRUE(supervisor.run(0, {}).stopped);
  supervisor.wait();
  EXPECT_TRUE(supervisor.run(0, {}).stopped);
  EXPECT_FALSE(std::filesystem::exists(folder / "ran"));
}

// What ended by itself before it could be told to was not stopped.
TEST_F(ProcessTest, AFailureBeforeTheEndIsAFailure) {
  const std::vector<Command> all = {
      {.script = "sleep 60 & echo ready; exec sh -c 'exit 3'", .dir = folder.native(), .env = {}}};
  Supervisor supervisor(all);
  const ProcessResult result =
      supervisor.run(0, {.on_command = [](std::string_view) {},
                         .on_line =
                             [&](std::string_view) {
                               std::this_thread::sleep_for(std::chrono::milliseconds(100));
                               supervisor.end(SIGTERM);
                             }});
  EXPECT_FALSE(result.stopped);
  EXPECT_EQ(result.exit_status, 3);
}

// A process of another user cannot be ended by one without rights; that it goes on is said.
TEST_F(ProcessTest, SaysWhatCouldNotBeEnded) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make a process of another user";
  // Whittle as nobody, and a set-uid program that becomes root as sudo does.
  std::filesystem::copy_file("/usr/bin/setpriv", folder / "become");
  ASSERT_EQ(::chmod((folder / "become").c_str(), 04755), 0);
  for (auto at = folder; at != at.root_path(); at = at.parent_path()) {
    std::error_code ignored;
    std::filesystem::permissions(at, std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add, ignored);
  }
  std::filesystem::permissions(folder, std::filesystem::perms::all);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ProcessResult result;
    if (::setgid(65534) == 0 && ::setuid(65534) == 0) {
      try {
        result = run("./become --reuid=0 --clear-groups sleep 20 & sleep 0.3");
      } catch (...) {
      }
    }
    ::_exit(result.survivors == "sleep" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// Whoever kills whittle kills its steps.
TEST_F(ProcessTest, ProcessesEndWhenWhittleIsKilled) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    try {
      run("setsid sh -c 'trap \"\" TERM; echo $$ >id.new; mv id.new id; sleep 60' & wait");
    } catch (...) {
    }
    ::_exit(0);
  }
  const pid_t id = id_in("id");
  ASSERT_GT(id, 0);
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(is_gone(id));
}

TEST_F(ProcessTest, ASignalToTheSupervisorIsAFailure) {
  const Error error = error_of([&] { run("kill $PPID; sleep 60"); });
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_THAT(error.what(), HasSubstr("ended by a signal to the process that watches over it"));
}

// A kill of the supervisor itself is an error and not the end of the command.
TEST_F(ProcessTest, AKilledSupervisorIsAnError) {
  const Error error = error_of([&] {
    run("echo $PPID; sleep 60",
        [](Supervisor&, std::string_view line) { ::kill(std::stoi(std::string(line)), SIGKILL); });
  });
  EXPECT_EQ(error.kind(), ErrorKind::io);
  EXPECT_THAT(error.what(), HasSubstr("the process that watches over the command was killed"));
}

}  // namespace
}  // namespace whittle::flow
