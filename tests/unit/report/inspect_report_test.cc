// SPDX-License-Identifier: MIT
#include "report/inspect_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whittle::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

analyzer::BinaryReport go_program() {
  analyzer::BinaryReport report;
  report.path = "bin/app\x1b[2J";
  report.size = 2338123;
  report.kind = analyzer::Kind::static_executable;
  report.reasons = {{"type/exec", "is at fixed addresses (ET_EXEC)"},
                    {"static/no-interpreter", "asks for no interpreter (PT_INTERP)"}};
  report.machine = "x86-64";
  report.bits = 64;
  report.byte_order = "little";
  report.entry = 0x46b2a0;
  report.go_build_id = "abc/def";
  report.toolchain = {"Go",
                      "go1.19.8",
                      "",
                      "example.com/hello",
                      {{"example.com/hello", "(devel)", "", ""},
                       {"golang.org/x/net", "v0.1.0", "h1:x", "example.com/net@v2"}},
                      {}};
  report.stripped = false;
  report.symbols = 1234;
  report.segments = {{"LOAD", "R-X", 0, 0x400000, 1000000, 1000000, 4096},
                     {"GNU_STACK", "RW-", 0, 0, 0, 0, 8}};
  report.sections = {{".te\x07xt", "PROGBITS", 0x401000, 0x1000, 5000}};
  report.overlay = 7;
  report.warnings = {"one odd thing", "another"};
  return report;
}

packer::PackInfo pack_info() {
  packer::PackInfo info;
  info.format_version = 1;
  info.packer_version = "0.1.0";
  info.machine = "x86-64";
  info.level = "fast";
  info.packed_size = 900000;
  info.original_size = 2338123;
  info.stub_size = 9000;
  info.original_sha256 = "aa";
  info.source_size = 2338123;
  info.source_sha256 = "aa";
  info.streams = {{"image", 0x400000, 2000000, 880000}, {"rest", 0, 338123, 11000}};
  return info;
}

TEST(InspectReport, TextOfAProgram) {
  EXPECT_EQ(inspect_text(go_program(), std::nullopt), R"(bin/app\x1b[2J

  kind          static
  because it    is at fixed addresses (ET_EXEC)
                asks for no interpreter (PT_INTERP)
  size          2,338,123 bytes (2.2 MiB)
  machine       x86-64, 64 bits, little-endian
  entry         0x46b2a0
  toolchain     Go, go1.19.8
  main package  example.com/hello
  main module   example.com/hello@(devel)
  needs         1 module
  Go build ID   abc/def
  symbols       1,234
  sections      1
  overlay       7 bytes behind the end of the program
  warning       one odd thing
                another

  segment    flags  offset   address    in file  in memory  alignment
  LOAD       R-X       0x0  0x400000  1,000,000  1,000,000     0x1000
  GNU_STACK  RW-       0x0       0x0          0          0        0x8
)");
}

TEST(InspectReport, TextOfWhatIsNoElf) {
  analyzer::BinaryReport report;
  report.path = "notes.txt";
  report.size = 5;
  report.reasons = {{"magic/none", "does not begin with the ELF magic"}};
  EXPECT_EQ(inspect_text(report, std::nullopt), R"(notes.txt

  kind        not-elf
  because it  does not begin with the ELF magic
  size        5 bytes
)");
}

TEST(InspectReport, TextOfAPackedProgram) {
  analyzer::BinaryReport report;
  report.path = "app";
  const std::string text = inspect_text(report, pack_info());
  EXPECT_THAT(text, testing::EndsWith(R"(
  packed by    whittle 0.1.0, format 1, level fast
  packed size  900,000 bytes (878.9 KiB), 38.5 % of the program inside
  stub         9,000 bytes
  inside       2,338,123 bytes (2.2 MiB)
  SHA-256      aa

  stream   address      bytes   packed
  image   0x400000  2,000,000  880,000  44.0 %
  rest           -    338,123   11,000   3.3 %
)"));
  packer::PackInfo stripped = pack_info();
  stripped.source_size = 3000000;
  stripped.source_sha256 = "bb";
  EXPECT_THAT(inspect_text(report, stripped),
              HasSubstr("  stripped from  3,000,000 bytes (2.9 MiB)\n  its SHA-256    bb\n"));
  EXPECT_THAT(text, Not(HasSubstr("stripped from")));
}

TEST(InspectReport, Json) {
  const auto json = nlohmann::json::parse(inspect_json(go_program(), std::nullopt));
  EXPECT_EQ(json["schema"], "whittle.inspect/1");
  EXPECT_EQ(json["path"], "bin/app\x1b[2J");
  EXPECT_TRUE(json["packed"].is_null());
  const auto& binary = json["binary"];
  EXPECT_EQ(binary["verdict"], "static");
  EXPECT_EQ(binary["entry"], 0x46b2a0);
  EXPECT_EQ(binary["symbols"], 1234);
  EXPECT_EQ(binary["overlay_bytes"], 7);
  EXPECT_EQ(binary["toolchain"]["modules"][1],
            nlohmann::json::parse(R"({"path": "golang.org/x/net", "version": "v0.1.0",
                "sum": "h1:x", "replaced_by": "example.com/net@v2"})"));
  EXPECT_EQ(binary["segments"][0],
            nlohmann::json::parse(R"({"type": "LOAD", "flags": "R-X", "offset": 0,
                "address": 4194304, "file_bytes": 1000000, "memory_bytes": 1000000,
                "alignment": 4096})"));
  EXPECT_EQ(binary["sections"][0],
            nlohmann::json::parse(R"({"name": ".te\u0007xt", "type": "PROGBITS",
                "address": 4198400, "offset": 4096, "bytes": 5000})"));
}

TEST(InspectReport, JsonOfAPackedProgram) {
  const auto packed = nlohmann::json::parse(inspect_json(go_program(), pack_info()))["packed"];
  EXPECT_EQ(packed, nlohmann::json::parse(R"({
    "format_version": 1, "packer_version": "0.1.0", "machine": "x86-64", "level": "fast",
    "packed_bytes": 900000, "original_bytes": 2338123, "stub_bytes": 9000,
    "original_sha256": "aa", "source_bytes": 2338123, "source_sha256": "aa",
    "streams": [
      {"name": "image", "address": 4194304, "raw_bytes": 2000000, "packed_bytes": 880000},
      {"name": "rest", "address": 0, "raw_bytes": 338123, "packed_bytes": 11000}]})"));
}

}  // namespace
}  // namespace whittle::report
