// SPDX-License-Identifier: MIT
#include "flow/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/scratch_test.h"

namespace whittle::flow {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

Plan plan_of(std::string_view steps) {
  return make_plan(
      config::parse_build_file("build: {steps: {" + std::string(steps) + "}}", "build.yml", {}));
}

std::vector<std::string> labels(const Plan& plan) {
  std::vector<std::string> labels;
  for (const PlannedStep& step : plan.steps) labels.push_back(step.step.label);
  return labels;
}

TEST(Plan, KeepsTheOrderOfTheFileWhereItMay) {
  EXPECT_THAT(labels(plan_of("c: {run: x}, a: {run: x}, b: {run: x}")), ElementsAre("c", "a", "b"));
}

TEST(Plan, PutsDependenciesFirst) {
  const Plan plan = plan_of(
      "d: {run: x, depends_on: [b, c]}, c: {run: x, depends_on: [a]},"
      "b: {run: x, depends_on: [a]}, a: {run: x}");
  EXPECT_THAT(labels(plan), ElementsAre("a", "c", "b", "d"));
  EXPECT_THAT(plan.steps[0].dependents, ElementsAre(1u, 2u));
  EXPECT_EQ(plan.steps[3].dependencies, 2u);
}

TEST(Plan, NamesTheMembersOfACycle) {
  const Error error = error_of([] {
    plan_of(
        "start: {run: x}, a: {run: x, depends_on: [start, c]}, b: {run: x, depends_on: [a]},"
        "c: {run: x, depends_on: [b]}, after: {run: x, depends_on: [a]}");
  });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_THAT(error.what(),
              HasSubstr("build.yml:1:58: steps depend on each other in a cycle: a → c "
                        "→ b → a"));
}

TEST(Plan, AStepCannotWaitForItself) {
  const Error error = error_of([] { plan_of("a: {run: x, depends_on: [a]}"); });
  EXPECT_THAT(error.what(), HasSubstr("build.yml:1:42: `build.steps.a.depends_on[0]` names its own "
                                      "step"));
}

TEST(Plan, ManyStepsAreNoTrouble) {
  std::string steps = "s0: {run: x}";
  for (int i = 1; i < 1000; i++) {
    steps += ", s" + std::to_string(i) + ": {run: x, depends_on: [s" + std::to_string(i - 1) + "]}";
  }
  EXPECT_EQ(plan_of(steps).steps.size(), 1000u);
}

}  // namespace
}  // namespace whittle::flow
