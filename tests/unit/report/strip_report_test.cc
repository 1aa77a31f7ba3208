// SPDX-License-Identifier: MIT
#include "report/strip_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whittle::report {
namespace {

using Json = nlohmann::json;

TEST(StripReport, SaysWhatWasStripped) {
  const analyzer::StripResult result = {
      .bytes = Bytes(1024, 0), .removed = 3072, .notes = {"kept .dep-v0"}};
  EXPECT_EQ(strip_text("a\nb", 4096, result), "a\\nb: 1,024 bytes instead of 4,096\n");
  EXPECT_EQ(Json::parse(strip_json("in", "out", 4096, result)),
            Json({{"schema", "whittle.strip/1"},
                  {"path", "in"},
                  {"output", "out"},
                  {"original_bytes", 4096},
                  {"stripped_bytes", 1024},
                  {"notes", {"kept .dep-v0"}}}));
}

TEST(StripReport, SaysWhatWasUnpacked) {
  packer::PackInfo info;
  info.original_size = 4096;
  info.original_sha256 = info.source_sha256 = "aa";
  EXPECT_EQ(unpack_text("a\nb", info), "a\\nb: 4,096 bytes, as packed\n");
  info.source_sha256 = "bb";
  EXPECT_EQ(unpack_text("app", info), "app: 4,096 bytes, as packed (stripped before packing)\n");
  EXPECT_EQ(Json::parse(unpack_json("in", "out", info)), Json({{"schema", "whittle.unpack/1"},
                                                               {"path", "in"},
                                                               {"output", "out"},
                                                               {"bytes", 4096},
                                                               {"sha256", "aa"},
                                                               {"is_original", false}}));
}

}  // namespace
}  // namespace whittle::report
