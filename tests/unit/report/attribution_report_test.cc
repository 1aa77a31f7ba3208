// SPDX-License-Identifier: MIT
#include "report/attribution_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whittle::report {
namespace {

AttributedFile file(std::string path, std::uint64_t main, std::uint64_t net) {
  AttributedFile out;
  out.path = std::move(path);
  out.attribution.size = main + net + 10;
  out.attribution.owners = {{"net", net}, {"main", main}, {"[.rodata]", 10}};
  out.attribution.sections = {{".text", main + net}, {".rodata", 10}};
  out.attribution.segments = {{"LOAD 0 R-X", main + net + 10}};
  out.attribution.functions = {{"net.Dial", net}};
  return out;
}

TEST(AttributionReport, TextTellsOfTheRest) {
  EXPECT_EQ(attribution_text(file("a\n", 10, 80), 1),
            "a\\n: 100 bytes\n"
            "\n"
            "  owner     bytes  of the file\n"
            "  net          80       80.0 %\n"
            "  2 others     20       20.0 %\n"
            "\n"
            "  section  bytes  of the file\n"
            "  .text       90       90.0 %\n"
            "  1 other     10       10.0 %\n"
            "\n"
            "  segment     bytes  of the file\n"
            "  LOAD 0 R-X    100      100.0 %\n"
            "\n"
            "  largest function or object  bytes  of the file\n"
            "  net.Dial                       80       80.0 %\n");
}

TEST(AttributionReport, Json) {
  const auto json = nlohmann::json::parse(attribution_json(file("a", 10, 80)));
  EXPECT_EQ(json["schema"], "whittle.attribution/1");
  EXPECT_EQ(json["size_bytes"], 100);
  EXPECT_EQ(json["owners"][0], nlohmann::json::parse(R"({"name": "net", "bytes": 80})"));
  EXPECT_EQ(json["functions"].size(), 1u);
}

TEST(AttributionReport, GrowthByOwner) {
  AttributedFile after = file("b", 20, 0);
  after.attribution.owners.push_back({"new", 5});
  EXPECT_EQ(growth_text(file("a", 10, 80), after, 2),
            "a: 100 bytes\n"
            "b: 30 bytes, -70\n"
            "\n"
            "  owner  before  after  difference\n"
            "  net        80      0         -80\n"
            "  main       10     20         +10\n"
            "  and 1 that changed less\n");
  EXPECT_EQ(growth_text(file("a", 1, 2), file("b", 1, 2), 5), "a: 13 bytes\nb: 13 bytes, +0\n");
  const auto json = nlohmann::json::parse(growth_json(file("a", 10, 80), after));
  EXPECT_EQ(json["schema"], "whittle.growth/1");
  EXPECT_EQ(json["owners"].size(), 3u);
  EXPECT_EQ(json["owners"][0],
            nlohmann::json::parse(R"({"name": "net", "before": 80, "after": 0})"));
}

}  // namespace
}  // namespace whittle::report
