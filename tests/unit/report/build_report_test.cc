// SPDX-License-Identifier: MIT
#include "report/build_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whittle::report {
namespace {

SizeReport size_of(const std::string& subject) {
  SizeReport size;
  size.subject = subject;
  size.platform = "linux/amd64";
  size.stages = {{"built", 10, 8, 7, ""}};
  return size;
}

BuildReport failed_build() {
  BuildReport report;
  report.build_file = "dir/build.yml";
  report.steps = {
      {.label = "a",
       .status = StepStatus::done,
       .warnings = {"careful"},
       .error = {},
       .size = size_of("app")},
      {.label = "b*",
       .status = StepStatus::failed,
       .warnings = {"left"},
       .error = Error(ErrorKind::refused, "where", "why\nand how"),
       .size = {}},
      {.label = "c", .status = StepStatus::stopped, .warnings = {}, .error = {}, .size = {}},
      {.label = "d", .status = {}, .warnings = {}, .error = {}, .size = {}}};
  report.steps[3].status = StepStatus::not_started;
  report.failures = {1};
  return report;
}

TEST(BuildReport, JsonIsOneDocument) {
  const auto json = nlohmann::json::parse(render(failed_build(), Format::json));
  EXPECT_EQ(json["schema"], "whittle.build/1");
  EXPECT_EQ(json["build_file"], "dir/build.yml");
  EXPECT_EQ(json["status"], "failed");
  ASSERT_EQ(json["steps"].size(), 4u);
  const auto& first = json["steps"][0];
  EXPECT_EQ(first["step"], "a");
  EXPECT_EQ(first["status"], "done");
  EXPECT_EQ(first["platform"], "linux/amd64");
  EXPECT_EQ(first["warnings"], nlohmann::json({"careful"}));
  EXPECT_TRUE(first["error"].is_null());
  EXPECT_EQ(first["size_report"], nlohmann::json::parse(render(size_of("app"), Format::json)));
  const auto& second = json["steps"][1];
  EXPECT_EQ(second["status"], "failed");
  EXPECT_TRUE(second["platform"].is_null());
  EXPECT_EQ(second["error"],
            nlohmann::json::parse(R"({"kind": "refused", "message": "why\nand how"})"));
  EXPECT_TRUE(second["size_report"].is_null());
  EXPECT_EQ(json["steps"][2]["status"], "stopped");
  EXPECT_EQ(json["steps"][3]["status"], "not-started");
}

TEST(BuildReport, ABuildWithoutFailuresIsDone) {
  BuildReport report = failed_build();
  report.failures.clear();
  EXPECT_EQ(nlohmann::json::parse(render(report, Format::json))["status"], "done");
}

TEST(BuildReport, TextIsTheSizeReportsAndOtherWarnings) {
  EXPECT_EQ(render(failed_build(), Format::text),
            render(size_of("app"), Format::text) + "\nStep b*\n\n  warning: left\n");
  EXPECT_EQ(render(failed_build(), Format::markdown),
            render(size_of("app"), Format::markdown) + "\n### Step b\\*\n\n- warning: left\n");
  EXPECT_EQ(render(BuildReport(), Format::text), "");
}

}  // namespace
}  // namespace whittle::report
