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

packer::StreamInfo part_of_a_table(std::uint32_t part, std::uint64_t raw, std::uint64_t packed) {
  return {.name = "part",
          .address = 0x500000,
          .raw_size = raw,
          .packed_size = packed,
          .holds = "Go function table",
          .codec = "zstd",
          .transform = "",
          .part = part,
          .part_count = 2,
          .region_size = 1000000};
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
  info.start_memory = 3 << 20;
  info.original_sha256 = "aa";
  info.source_size = 2338123;
  info.source_sha256 = "aa";
  info.streams = {{.name = "image",
                   .address = 0x400000,
                   .raw_size = 1000000,
                   .packed_size = 480000,
                   .holds = "segment r-x",
                   .codec = "zstd",
                   .transform = "x86-64 code"},
                  part_of_a_table(1, 700000, 300000),
                  part_of_a_table(2, 290000, 99000),
                  {.name = "rest",
                   .raw_size = 338123,
                   .packed_size = 11000,
                   .holds = "outside the segments",
                   .codec = "stored",
                   .transform = ""}};
  return info;
}

TEST(InspectReport, NamesTheSystem) {
  analyzer::BinaryReport report = go_program();
  report.system = "DragonFly BSD";
  report.system_reason = "Go built it with GOOS=dragonfly";
  EXPECT_THAT(inspect_text(report, std::nullopt),
              HasSubstr("  system        DragonFly BSD (Go built it with GOOS=dragonfly)\n"));
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
  overlay       7 bytes after the end of the program
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
  to start     about 3.0 MiB of memory, besides what the program uses
  inside       2,338,123 bytes (2.2 MiB)
  SHA-256      aa

                               address      bytes   packed          of the file
  headers, notes, tables             -          -    1,000                0.1 %
  stub                               -          -    9,000                1.0 %
  segment r-x, x86-64 code    0x400000  1,000,000  480,000  48.0 %       53.3 %
  Go function table, 2 parts  0x500000  1,000,000  399,000  39.9 %       44.3 %
  outside the segments               -    338,123   11,000   3.3 %        1.2 %
)"));
  packer::PackInfo stripped = pack_info();
  stripped.source_size = 3000000;
  stripped.source_sha256 = "bb";
  EXPECT_THAT(inspect_text(report, stripped),
              HasSubstr("  stripped from  3,000,000 bytes (2.9 MiB)\n  its SHA-256    bb\n"));
  EXPECT_THAT(text, Not(HasSubstr("stripped from")));
}

TEST(InspectReport, EveryStreamOfAPackedProgram) {
  analyzer::BinaryReport report;
  report.path = "app";
  EXPECT_THAT(inspect_text(report, pack_info(), std::nullopt, Streams::each), testing::EndsWith(R"(
                                  codec    address      bytes   packed          of the file
  headers, notes, tables                         -          -    1,000                0.1 %
  stub                                           -          -    9,000                1.0 %
  segment r-x, x86-64 code        zstd    0x400000  1,000,000  480,000  48.0 %       53.3 %
  Go function table, part 1 of 2  zstd    0x500000    700,000  300,000  42.9 %       33.3 %
  Go function table, part 2 of 2  zstd    0x500000    290,000   99,000  34.1 %       11.0 %
  outside the segments            stored         -    338,123   11,000   3.3 %        1.2 %
)"));
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
                "sum": "h1:x", "replaced_by": "example.com/net@v2", "confidence": "high"})"));
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
    "scratch_bytes": 0, "start_memory_bytes": 3145728, "plain_tables": null,
    "streams": [
      {"name": "image", "address": 4194304, "raw_bytes": 1000000, "packed_bytes": 480000,
       "holds": "segment r-x", "codec": "zstd", "transform": "x86-64 code",
       "part": 0, "part_count": 0, "region_bytes": 0},
      {"name": "part", "address": 5242880, "raw_bytes": 700000, "packed_bytes": 300000,
       "holds": "Go function table", "codec": "zstd", "transform": "",
       "part": 1, "part_count": 2, "region_bytes": 1000000},
      {"name": "part", "address": 5242880, "raw_bytes": 290000, "packed_bytes": 99000,
       "holds": "Go function table", "codec": "zstd", "transform": "",
       "part": 2, "part_count": 2, "region_bytes": 1000000},
      {"name": "rest", "address": 0, "raw_bytes": 338123, "packed_bytes": 11000,
       "holds": "outside the segments", "codec": "stored", "transform": "",
       "part": 0, "part_count": 0, "region_bytes": 0}]})"));
}

TEST(InspectReport, TablesThatStayPlain) {
  const std::vector<packer::PlainTable> tables = {
      {.what = "Go function table", .address = 0x5a3000, .size = 3670210, .why = "odd\x1bthing"},
      {.what = "unwind table", .address = 0x600000, .size = 0, .why = "why"}};
  EXPECT_THAT(inspect_text(go_program(), pack_info(), std::nullopt, Streams::each, tables),
              testing::EndsWith("\n  stored as plain bytes:\n"
                                "  Go function table at 0x5a3000, 3,670,210 bytes\n"
                                "    odd\\x1bthing\n"
                                "  unwind table at 0x600000\n"
                                "    why\n"));
  const auto json = nlohmann::json::parse(
      inspect_json(go_program(), pack_info(), std::nullopt, tables))["packed"]["plain_tables"];
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[1], nlohmann::json::parse(R"({"what": "unwind table", "address": 6291456,
                                               "bytes": 0, "why": "why"})"));
  EXPECT_THAT(inspect_text(go_program(), pack_info(), std::nullopt, Streams::each,
                           std::vector<packer::PlainTable>()),
              Not(HasSubstr("plain bytes")));
}

}  // namespace
}  // namespace whittle::report
