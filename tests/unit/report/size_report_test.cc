// SPDX-License-Identifier: MIT
#include "report/size_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whittle::report {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

SizeReport esbuild() {
  SizeReport report;
  report.subject = "esbuild";
  report.image_reference = "esbuild:0.28.2";
  report.image_digest = "sha256:182abc13";
  report.output = "out/esbuild.tar";
  report.stages = {{"built", 11427952, 4665817, 3955122, ""},
                   {"stripped", 11427952, 4665817, 3955122, "nothing to remove"},
                   {"packed", 4180000, 4130625, 4120895, "fast"},
                   {"layer", 4130700, {}, {}, "gzip"},
                   {"image", 4140544, {}, {}, "archive"}};
  judge(report);
  return report;
}

std::vector<std::string> verdicts(std::vector<Stage> stages) {
  SizeReport report;
  report.stages = std::move(stages);
  report.verdicts = {"an old one that has to go"};
  judge(report);
  return report.verdicts;
}

TEST(SizeReport, Text) {
  EXPECT_EQ(render(esbuild(), Format::text),
            R"(Size of esbuild

  stage     bytes on disk            of built  as gzip layer  of built  as zstd layer  of built
  built        11,427,952  10.9 MiB   100.0 %      4,665,817   100.0 %      3,955,122   100.0 %
  stripped     11,427,952  10.9 MiB   100.0 %      4,665,817   100.0 %      3,955,122   100.0 %  nothing to remove
  packed        4,180,000   4.0 MiB    36.6 %      4,130,625    88.5 %      4,120,895   104.2 %  fast
  layer         4,130,700   3.9 MiB    36.1 %              -         -              -         -  gzip
  image         4,140,544   3.9 MiB    36.2 %              -         -              -         -  archive

  The file is 63.4 % smaller than it was built: 4,180,000 bytes instead of 11,427,952.
  Packing makes the pull 11.5 % lighter as gzip and 4.2 % heavier as zstd.
  The lightest pull would be the stripped file in a zstd layer (`compression: zstd`): 3,955,122 bytes, 4.3 % lighter than this one.

  image   esbuild:0.28.2
  digest  sha256:182abc13
  output  out/esbuild.tar
)");
}

TEST(SizeReport, Markdown) {
  EXPECT_EQ(render(esbuild(), Format::markdown),
            R"(### Size of `esbuild`

| stage | bytes on disk |  | of built | as gzip layer | of built | as zstd layer | of built |  |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
| built | 11,427,952 | 10.9 MiB | 100.0 % | 4,665,817 | 100.0 % | 3,955,122 | 100.0 % |  |
| stripped | 11,427,952 | 10.9 MiB | 100.0 % | 4,665,817 | 100.0 % | 3,955,122 | 100.0 % | nothing to remove |
| packed | 4,180,000 | 4.0 MiB | 36.6 % | 4,130,625 | 88.5 % | 4,120,895 | 104.2 % | fast |
| layer | 4,130,700 | 3.9 MiB | 36.1 % | - | - | - | - | gzip |
| image | 4,140,544 | 3.9 MiB | 36.2 % | - | - | - | - | archive |

- The file is 63.4 % smaller than it was built: 4,180,000 bytes instead of 11,427,952.
- Packing makes the pull 11.5 % lighter as gzip and 4.2 % heavier as zstd.
- The lightest pull would be the stripped file in a zstd layer (\`compression: zstd\`): 3,955,122 bytes, 4.3 % lighter than this one.

- image: `esbuild:0.28.2`
- digest: `sha256:182abc13`
- output: `out/esbuild.tar`
)");
}

TEST(SizeReport, Json) {
  const auto json = nlohmann::json::parse(render(esbuild(), Format::json));
  EXPECT_EQ(json["schema"], "whittle.size-report/1");
  EXPECT_EQ(json["subject"], "esbuild");
  EXPECT_EQ(json["image_reference"], "esbuild:0.28.2");
  EXPECT_EQ(json["image_digest"], "sha256:182abc13");
  EXPECT_EQ(json["output"], "out/esbuild.tar");
  ASSERT_EQ(json["stages"].size(), 5u);
  EXPECT_EQ(json["stages"][2], nlohmann::json::parse(R"({"name": "packed", "disk_bytes": 4180000,
      "wire_gzip_bytes": 4130625, "wire_zstd_bytes": 4120895, "note": "fast"})"));
  EXPECT_TRUE(json["stages"][3]["wire_gzip_bytes"].is_null());
  EXPECT_EQ(json["verdicts"].size(), 3u);
  EXPECT_THAT(render(esbuild(), Format::json), testing::EndsWith("}\n"));
}

TEST(SizeReport, WarningsAreInEveryFormat) {
  SizeReport report;
  report.subject = "app";
  report.stages = {{"built", 0, {}, {}, ""}};
  report.output = "app.tar";
  report.warnings = {"`app` is\told", "second"};
  EXPECT_THAT(render(report, Format::text),
              HasSubstr("\n\n  warning: `app` is\\told\n  warning: second\n\n  output  app.tar\n"));
  EXPECT_THAT(render(report, Format::markdown),
              HasSubstr("\n\n- warning: \\`app\\` is\\\\told\n- warning: second\n\n- output: "));
  EXPECT_EQ(nlohmann::json::parse(render(report, Format::json))["warnings"],
            nlohmann::json({"`app` is\told", "second"}));
  EXPECT_EQ(nlohmann::json::parse(render(esbuild(), Format::json))["warnings"],
            nlohmann::json::array());
}

TEST(SizeReport, WithoutAnImage) {
  SizeReport report;
  report.subject = "app";
  report.stages = {{"built", 0, {}, {}, ""}};
  judge(report);
  EXPECT_EQ(
      render(report, Format::text),
      "Size of app\n\n"
      "  stage  bytes on disk       of built  as gzip layer  of built  as zstd layer  of built\n"
      "  built              0  0 B         -              -         -              -         -\n");
  EXPECT_TRUE(nlohmann::json::parse(render(report, Format::json))["image_digest"].is_null());
}

TEST(SizeReport, HostileNamesStayInTheirPlace) {
  SizeReport report = esbuild();
  report.subject = "a`b\x1b[2J\xff\n";
  report.stages[2].note = "x|y\n<script>";
  judge(report);
  for (const Format format : {Format::text, Format::markdown}) {
    const std::string text = render(report, format);
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, HasSubstr("a`b\\x1b[2J\\xff\\n"));
  }
  EXPECT_THAT(render(report, Format::markdown), HasSubstr("`` a`b"));
  EXPECT_THAT(render(report, Format::markdown), HasSubstr("x\\|y\\\\n\\<script\\>"));
  EXPECT_EQ(nlohmann::json::parse(render(report, Format::json))["subject"],
            "a`b\x1b[2J\xef\xbf\xbd\n");
}

TEST(Judge, PackingThatPaysBothWays) {
  EXPECT_THAT(
      verdicts({{"built", 1000, 500, 400, ""}, {"packed", 350, 360, 356, ""}}),
      ElementsAre("The file is 65.0 % smaller than it was built: 350 bytes instead of 1,000.",
                  "Packing makes the pull 28.0 % lighter as gzip and 11.0 % lighter as "
                  "zstd."));
}

TEST(Judge, PackingThatMakesThePullHeavier) {
  EXPECT_THAT(
      verdicts({{"built", 1000, 500, 400, ""},
                {"packed", 600, 610, 600, ""},
                {"layer", 610, 610, 600, "gzip"}}),
      ElementsAre(
          HasSubstr("40.0 % smaller"),
          "Packing makes the pull 22.0 % heavier as gzip and 50.0 % heavier as "
          "zstd: for the network, ship it unpacked.",
          "The lightest gzip layer would be that of the built file: 500 bytes, 18.0 % "
          "lighter than this one.",
          "The lightest pull would be the built file in a zstd layer (`compression: zstd`): "
          "400 bytes, 34.4 % lighter than this one."));
}

TEST(Judge, PackingIsMeasuredAgainstTheFileThatWentIn) {
  EXPECT_THAT(verdicts({{"built", 2000, 900, {}, ""},
                        {"stripped", 1000, 400, {}, ""},
                        {"packed", 500, 440, {}, ""}})[1],
              HasSubstr("10.0 % heavier as gzip"));
}

TEST(Judge, SaysWhereNothingChanged) {
  EXPECT_THAT(
      verdicts({{"built", 1000, 500, 400, ""}, {"packed", 1000, 500, 400, "kept: dynamic"}}),
      ElementsAre("The file is as large as it was built.",
                  "Packing changed nothing (kept: dynamic)."));
  EXPECT_THAT(verdicts({{"built", 10000, 5000, 4000, ""}, {"packed", 9000, 5001, 4000, ""}})[1],
              "Packing leaves the pull as heavy as it was; what it saves is disk.");
  EXPECT_THAT(verdicts({{"built", 10000, 5000, 4000, ""}, {"packed", 9000, 4000, 4000, ""}})[1],
              "Packing makes the pull 20.0 % lighter as gzip and leaves it the same as zstd.");
}

TEST(Judge, AnotherCompressionIsNamedAsSuch) {
  EXPECT_THAT(verdicts({{"built", 1000, 500, 480, ""},
                        {"packed", 350, 360, 300, ""},
                        {"layer", 360, 360, 300, "gzip"}}),
              ElementsAre(_, _,
                          "The lightest pull would be the same file in a zstd layer (`compression: "
                          "zstd`): 300 bytes, 16.7 % lighter than this one."));
  EXPECT_THAT(verdicts({{"built", 1000, 500, 480, ""},
                        {"packed", 350, 300, 360, ""},
                        {"layer", 360, 300, 360, "zstd"}}),
              ElementsAre(_, _, HasSubstr("the same file in a gzip layer (`compression: gzip`)")));
}

// The layer that was made may be a byte lighter or heavier than its form alone.
TEST(Judge, WhatWasMadeIsNeverRecommended) {
  for (const char* own : {"gzip", "zstd"}) {
    const bool is_gzip = std::string(own) == "gzip";
    for (const std::uint64_t layer : {400u, 401u, 399u, 500u}) {
      for (const std::string& verdict :
           verdicts({{"built", 1000, 400, 400, ""},
                     {"stripped", 1000, 400, 400, "kept: nothing to remove"},
                     {"layer", layer, is_gzip ? layer : 400, is_gzip ? 400 : layer, own}})) {
        EXPECT_THAT(verdict, Not(HasSubstr(std::string(own) + " layer")));
      }
    }
    EXPECT_THAT(verdicts({{"built", 1000, 400, 400, ""}, {"layer", 400, 400, 400, own}}),
                IsEmpty());
  }
}

// Five megabytes of other files are in the image, whatever form the program has.
TEST(Judge, WholeImagesAreCompared) {
  EXPECT_THAT(verdicts({{"built", 2000000, 1000000, 900000, ""},
                        {"stripped", 1900000, 980000, 880000, ""},
                        {"layer", 5980000, 5980000, 5880000, "gzip"}}),
              ElementsAre(_,
                          "The lightest pull would be the same file in a zstd layer "
                          "(`compression: zstd`): 5,880,000 bytes, 1.7 % lighter than this one."));
  EXPECT_THAT(
      verdicts({{"built", 2000000, 1000000, 900000, ""},
                {"packed", 1200000, 1100000, 1100000, ""},
                {"layer", 6100000, 6100000, 6100000, "gzip"}}),
      ElementsAre(_,
                  "Packing makes the pull 1.7 % heavier as gzip and 3.4 % heavier as zstd: "
                  "for the network, ship it unpacked.",
                  "The lightest gzip layer would be that of the built file: about 6,000,000 "
                  "bytes, 1.6 % lighter than this one.",
                  "The lightest pull would be the built file in a zstd layer (`compression: "
                  "zstd`): about 5,900,000 bytes, 3.3 % lighter than this one."));
  // What zstd saves elsewhere is no reason to unpack.
  EXPECT_THAT(verdicts({{"built", 2000000, 1000000, 900000, ""},
                        {"packed", 900000, 850000, 850000, ""},
                        {"layer", 5850000, 5850000, 4850000, "gzip"}}),
              ElementsAre(_, _, HasSubstr("the same file in a zstd layer")));
}

TEST(Judge, OtherFormsOfOneCompression) {
  EXPECT_THAT(
      verdicts({{"built", 1000, 300, 400, ""},
                {"stripped", 990, 310, 400, ""},
                {"packed", 350, 360, 400, ""},
                {"layer", 360, 360, 400, "gzip"}}),
      ElementsAre(_, HasSubstr("16.1 % heavier as gzip and leaves it the same as zstd"),
                  "The lightest gzip layer would be that of the built file: 300 bytes, 16.7 "
                  "% lighter than this one."));
}

TEST(Judge, WhatIsNotWeighedIsNotJudged) {
  SizeReport report;
  report.weighed = false;
  report.stages = {
      {"built", 1000, {}, {}, ""}, {"packed", 400, {}, {}, ""}, {"layer", 410, {}, {}, "gzip"}};
  judge(report);
  EXPECT_THAT(
      report.verdicts,
      ElementsAre(HasSubstr("60.0 % smaller"),
                  "What the stages weigh as layers is not known (--no-weigh), nor which pull "
                  "is lightest."));
  EXPECT_THAT(render(report, Format::text), Not(testing::ContainsRegex("layer +410[^\n]*  0 ")));
  EXPECT_TRUE(nlohmann::json::parse(render(report, Format::json))["stages"][0]["wire_gzip_bytes"]
                  .is_null());
}

TEST(Judge, WithoutWireSizesOnlyTheDiskIsJudged) {
  EXPECT_THAT(verdicts({{"built", 1000, {}, {}, ""},
                        {"packed", 400, {}, {}, ""},
                        {"layer", 410, {}, {}, "gzip"}}),
              ElementsAre("The file is 60.0 % smaller than it was built: 400 bytes instead of "
                          "1,000."));
}

TEST(Judge, NothingToJudge) {
  EXPECT_THAT(verdicts({}), IsEmpty());
  EXPECT_THAT(verdicts({{"layer", 5, {}, {}, ""}}), IsEmpty());
  EXPECT_THAT(verdicts({{"packed", 5, 4, 3, ""}}), IsEmpty());
  EXPECT_NO_THROW(verdicts({{"built", 0, 0, 0, ""}, {"packed", 5, 4, 3, ""}}));
}

TEST(SizeReport, Warns) {
  SizeReport report;
  report.subject = "app";
  report.warnings = {"the image has no <shell>"};
  EXPECT_THAT(render(report, Format::text),
              testing::HasSubstr("\n  warning: the image has no <shell>\n"));
  EXPECT_THAT(render(report, Format::markdown),
              testing::HasSubstr("\n- warning: the image has no"));
  EXPECT_EQ(nlohmann::json::parse(render(report, Format::json))["warnings"][0],
            "the image has no <shell>");
}

}  // namespace
}  // namespace whittle::report
