// SPDX-License-Identifier: MIT
#include "flow/run.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "common/overloaded.h"
#include "tests/unit/common/scratch_test.h"

namespace whittle::flow {
namespace {

using test::error_of;
using test::ScratchTest;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Recorder : public ship::Observer {
 public:
  void on(const ship::Event& event) override {
    using namespace ship::event;
    const std::string step(event.step);
    std::visit(
        Overloaded{
            [&](const Started& it) { output.push_back(step + "$ " + std::string(it.command)); },
            [&](const Output& it) { output.push_back(step + ": " + std::string(it.line)); },
            [&](const Warning& it) { warnings.push_back(step + ": " + std::string(it.text)); },
            [&](const Stopped&) { stopped.push_back(step); },
            [](const auto&) {},
        },
        event.what);
  }
  std::vector<std::string> output, warnings, stopped;
};

class RunTest : public ScratchTest {
 protected:
  report::BuildReport report_of(const std::string& steps, unsigned jobs = 4) {
    const Plan plan =
        make_plan(config::parse_build_file("build:\n  steps:\n" + steps, "build.yml", {}));
    Build build(plan, {.work_dir = folder, .jobs = jobs, .created = 0}, recorder);
    return build.run();
  }
  // Throws the first failure.
  void run_steps(const std::string& steps, unsigned jobs = 4) {
    const report::BuildReport report = report_of(steps, jobs);
    if (!report.is_done()) throw Error(*report.steps[report.failures[0]].error);
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

TEST_F(RunTest, AFailureOfAScriptNamesTheLine) {
  EXPECT_STREQ(
      failure("    bad:\n      run: |\n        true\n        false || exit 4\n        true\n")
          .what(),
      "build.yml: step `bad`: line 2 of its script (`false || exit 4`) failed with exit "
      "status 4; it printed nothing");
  EXPECT_THAT(failure("    bad:\n      run: |\n        true\n        if :; then\n          exit 4\n"
                      "        fi\n")
                  .what(),
              HasSubstr("line 2 of its script (`if :; then…`) failed"));
  EXPECT_THAT(failure("    bad:\n      run: |\n        exit \\\n          4\n").what(),
              HasSubstr("the command failed with exit status 4"));
}

TEST_F(RunTest, AScriptForAnotherInterpreterIsAMistake) {
  const Error error =
      failure("    a: {run: touch ran}\n    b:\n      run: |\n        #!/bin/bash\n        x\n");
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_STREQ(error.what(),
               "build.yml:5:7: the `run` of step `b` asks for `/bin/bash`, but is always run by "
               "`/bin/sh -e`; put it into a file and run that");
  EXPECT_FALSE(std::filesystem::exists(folder / "ran"));
}

TEST_F(RunTest, TheOutputInAFailureHasTabsAndNoColours) {
  EXPECT_THAT(failure(R"(    a: {run: "printf '\\ta\\033[31mb\\033[0m\\033[2J\\n'; exit 1"})"
                      "\n")
                  .what(),
              testing::EndsWith("\n  \tab"));
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

TEST_F(RunTest, TheReportSaysWhatBecameOfEveryStep) {
  const report::BuildReport report = report_of(R"(
    first: {run: "true"}
    long: {run: "touch started; sleep 60"}
    bad: {run: "until [ -e started ]; do sleep 0.01; done; exit 3", depends_on: [first]}
    never: {run: "true", depends_on: [bad]}
)");
  EXPECT_EQ(report.build_file, "build.yml");
  EXPECT_FALSE(report.is_done());
  std::vector<std::string> statuses;
  for (const report::StepReport& step : report.steps) {
    statuses.push_back(step.label + " " + std::string(name(step.status)));
    EXPECT_EQ(step.error.has_value(), step.status == report::StepStatus::failed);
  }
  EXPECT_THAT(statuses, testing::ElementsAre("first done", "long stopped", "bad failed",
                                             "never not-started"));
  EXPECT_THAT(report.failures, testing::ElementsAre(2u));
  EXPECT_EQ(report.steps[2].error->kind(), ErrorKind::failed);
  EXPECT_THAT(recorder.stopped, testing::ElementsAre("long"));
}

// Each fails only when the other is about to.
TEST_F(RunTest, StepsThatFailTogetherAreAllNamed) {
  const report::BuildReport report = report_of(R"(
    a: {run: "touch a; until [ -e b ]; do sleep 0.01; done; exit 3"}
    b: {run: "touch b; until [ -e a ]; do sleep 0.01; done; exit 4"}
)");
  EXPECT_THAT(report.failures, testing::UnorderedElementsAre(0u, 1u));
  ASSERT_TRUE(report.steps[0].error && report.steps[1].error);
  EXPECT_THAT(report.steps[0].error->what(),
              HasSubstr("step `a`: the command failed with exit status 3"));
  EXPECT_THAT(report.steps[1].error->what(),
              HasSubstr("step `b`: the command failed with exit status 4"));
}

TEST_F(RunTest, WhatAStepLeavesRunningIsAWarningOfThatStep) {
  const report::BuildReport report = report_of(R"(
    a: {run: "setsid sleep 60 >/dev/null 2>&1 & echo $! > id"}
    b: {run: "sleep 0.5"}
)");
  const std::string warning = "`run` left processes running, which were ended: sleep";
  EXPECT_TRUE(report.is_done());
  EXPECT_THAT(report.steps[0].warnings, testing::ElementsAre(warning));
  EXPECT_THAT(report.steps[1].warnings, testing::IsEmpty());
  EXPECT_THAT(recorder.warnings, testing::ElementsAre("a: " + warning));
}

// A step's orphans are not mistaken for another's.
TEST_F(RunTest, ProcessesOfOtherStepsAreLeftAlone) {
  run_steps(R"(
    quick: {run: "until [ -e child ]; do sleep 0.01; done"}
    slow: {run: "(setsid sh -c 'echo > child; sleep 0.7; echo > survived' &); sleep 0.3; until [ -e survived ]; do sleep 0.01; done"}
)");
  EXPECT_TRUE(std::filesystem::exists(folder / "survived"));
}

TEST_F(RunTest, AStepThatEndsItsSupervisorFails) {
  const report::BuildReport report = report_of(R"(
    a: {run: "kill $PPID; sleep 60"}
    b: {run: "true", depends_on: [a]}
)");
  EXPECT_THAT(report.failures, testing::ElementsAre(0u));
  EXPECT_EQ(report.steps[1].status, report::StepStatus::not_started);
}

TEST_F(RunTest, AnInterruptEndsEveryCommand) {
  const Plan plan = make_plan(config::parse_build_file(R"(build:
  steps:
    a: {run: "trap 'echo > a.cleaned; exit' INT; touch a; while :; do sleep 0.1; done"}
    b: {run: "trap '' INT; touch b; while :; do sleep 0.1; done"}
    c: {run: "touch c", depends_on: [a]}
)",
                                                       "build.yml", {}));
  Build build(plan, {.work_dir = folder, .jobs = 4, .created = 0}, recorder);
  report::BuildReport report;
  std::thread runner([&] { report = build.run(); });
  const auto exists = [&](const char* name) { return std::filesystem::exists(folder / name); };
  while (!exists("a") || !exists("b")) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  build.interrupt(SIGINT);
  while (!exists("a.cleaned")) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(build.wait_for_processes(std::chrono::milliseconds(50)));
  build.interrupt(SIGKILL);
  EXPECT_TRUE(build.wait_for_processes(std::chrono::seconds(5)));
  runner.join();
  EXPECT_THAT(build.interrupted().ended, testing::ElementsAre("a", "b"));
  EXPECT_THAT(build.interrupted().killed, testing::ElementsAre("b"));
  EXPECT_EQ(report.steps[0].status, report::StepStatus::stopped);
  EXPECT_EQ(report.steps[1].status, report::StepStatus::stopped);
  EXPECT_EQ(report.steps[2].status, report::StepStatus::not_started);
  EXPECT_FALSE(exists("c"));
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
              HasSubstr("build.yml:3:40: `build.steps.a.whittle.binary` (`app`) is the binary to "
                        "ship, but the step did not create it"));
}

}  // namespace
}  // namespace whittle::flow
