// SPDX-License-Identifier: MIT
#include "flow/run.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "tests/unit/flow/scratch.h"

namespace whittle::flow {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Recorder : public Observer {
 public:
  void on_output(std::string_view step, std::string_view line) override {
    output.push_back(std::string(step) + ": " + std::string(line));
  }
  std::vector<std::string> output;
};

class RunTest : public ScratchTest {
 protected:
  void run_steps(const std::string& steps, unsigned jobs = 4) {
    run(make_plan(parse_build_file("build:\n  steps:\n" + steps, "build.yml", {})),
        {.work_dir = folder, .jobs = jobs, .created = 0}, recorder);
  }
  Error failure(const std::string& steps, unsigned jobs = 4) {
    return error_of([&] { run_steps(steps, jobs); });
  }
  Recorder recorder;
};

TEST_F(RunTest, RunsStepsAfterWhatTheyDependOn) {
  run_steps(R"(
    last: {run: "cat a b >> log; echo last >> log", depends_on: [a, b]}
    a: {run: "sleep 0.2; echo a > a"}
    b: {run: "echo b > b"}
)");
  EXPECT_EQ(read("log"), "a\nb\nlast\n");
}

// Each waits for the other's file: only together can they end.
TEST_F(RunTest, RunsReadyStepsInParallel) {
  run_steps(R"(
    a: {run: "touch a; until [ -e b ]; do sleep 0.01; done"}
    b: {run: "touch b; until [ -e a ]; do sleep 0.01; done"}
)");
  EXPECT_TRUE(std::filesystem::exists(folder / "a"));
}

// `late` depends on the quick one alone and is what the slow one waits for.
TEST_F(RunTest, DoesNotWaitForALevelToEnd) {
  run_steps(R"(
    slow: {run: "until [ -e late ]; do sleep 0.01; done"}
    quick: {run: "true"}
    late: {run: touch late, depends_on: [quick]}
)");
  EXPECT_TRUE(std::filesystem::exists(folder / "late"));
}

TEST_F(RunTest, BoundsHowManyRunAtOnce) {
  std::string steps;
  for (const char* name : {"a", "b", "c", "d"}) {
    steps +=
        std::string("    ") + name + ": {run: 'mkdir lock || exit 1; sleep 0.05; rmdir lock'}\n";
  }
  run_steps(steps, 1);
}

TEST_F(RunTest, HandsArtifactsOn) {
  run_steps(R"(
    make: {dir: src, run: "echo made > out; chmod 750 out", artifacts: ["out:dist"]}
    use: {run: "cat dist/out", depends_on: [make]}
)" + std::string((std::filesystem::create_directory(folder / "src"), "")));
  EXPECT_THAT(recorder.output, Contains("use: made"));
  EXPECT_EQ(mode("dist/out"), 0750);
}

TEST_F(RunTest, AFailureNamesTheStepItsStatusAndItsOutput) {
  const Error error = failure(
      "    bad: {run: 'echo first; echo wrong >&2; exit 3'}\n"
      "    after: {run: touch after, depends_on: [bad]}\n");
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_STREQ(error.what(),
               "build.yml: step `bad`: the command failed with exit status 3; the end of its "
               "output:\n  first\n  wrong");
  EXPECT_FALSE(std::filesystem::exists(folder / "after"));
  EXPECT_THAT(failure("    bad: {run: 'kill -9 $$'}\n").what(),
              HasSubstr("killed by signal 9 (Killed); it printed nothing"));
}

TEST_F(RunTest, TheFirstFailureStopsTheRest) {
  const auto start = std::chrono::steady_clock::now();
  const Error error = failure(R"(
    long: {run: "echo $$ > id.new; mv id.new id; sleep 60; touch survived"}
    bad: {run: "until [ -e id ]; do sleep 0.01; done; exit 1"}
    never: {run: touch never, depends_on: [long]}
)");
  EXPECT_THAT(error.what(), HasSubstr("step `bad`"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  EXPECT_FALSE(std::filesystem::exists(folder / "survived"));
  EXPECT_FALSE(std::filesystem::exists(folder / "never"));
  const pid_t group = std::stoi(read("id"));
  bool gone = false;
  for (int i = 0; i < 200 && !gone; i++) {
    // The shell is reaped; its `sleep` may be a zombie for as long as nobody reaps it.
    gone = ::kill(group, 0) != 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(gone);
}

TEST_F(RunTest, AMissingArtifactFailsTheStep) {
  const Error error = failure("    a: {run: 'true', artifacts: [nothing]}\n");
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_THAT(error.what(), HasSubstr("step `a`: nothing: is an artifact"));
}

TEST_F(RunTest, DockerfileStepsAreRefusedBeforeAnythingRuns) {
  const Error error = failure("    host: {run: touch ran}\n    image: {dockerfile: Dockerfile}\n");
  EXPECT_EQ(error.kind(), ErrorKind::refused);
  EXPECT_THAT(error.what(),
              HasSubstr("build.yml:4:12: step `image` builds a Dockerfile, which needs an engine"));
  EXPECT_FALSE(std::filesystem::exists(folder / "ran"));
}

TEST_F(RunTest, TheWorkDirectoryMustExist) {
  folder /= "missing";
  EXPECT_EQ(failure("    a: {run: x}\n").kind(), ErrorKind::usage);
}

TEST_F(RunTest, AFolderToRunInMayNotLeadOut) {
  std::filesystem::create_directory(folder / "work");
  std::filesystem::create_symlink("..", folder / "work/up");
  folder /= "work";
  EXPECT_EQ(failure("    a: {dir: up, run: touch escaped}\n").kind(), ErrorKind::refused);
  folder = folder.parent_path();
  EXPECT_FALSE(std::filesystem::exists(folder / "escaped"));
}

TEST_F(RunTest, ABinaryThatWasNotMadeFailsTheStep) {
  const Error error = failure("    a: {run: 'true', whittle: {binary: app}}\n");
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_THAT(error.what(),
              HasSubstr("step `a`: app: is the binary to ship, but the step did not create it"));
}

}  // namespace
}  // namespace whittle::flow
