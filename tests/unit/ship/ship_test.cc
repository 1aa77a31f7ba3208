// SPDX-License-Identifier: MIT
#include "ship/ship.h"

#include <gmock/gmock.h>

#include "packer/packer.h"
#include "ship/source_date.h"
#include "tests/unit/common/scratch_test.h"

namespace whittle::ship {
namespace {

using test::error_of;
using test::ScratchTest;
using testing::ElementsAre;
using testing::HasSubstr;

// The smallest static program: exit(42) by system call, in one segment, no sections.
std::string tiny_executable() {
  std::string file(0x1000, '\0');
  const auto put = [&](std::size_t at, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      file[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * i) & 0xff);
    }
  };
  file.replace(0, 7,
               "\x7f"
               "ELF\x02\x01\x01");
  put(16, 2, 2);         // ET_EXEC
  put(18, 62, 2);        // x86-64
  put(20, 1, 4);         // version
  put(24, 0x400078, 8);  // entry
  put(32, 64, 8);        // program headers
  put(52, 64, 2);
  put(54, 56, 2);
  put(56, 1, 2);
  put(58, 64, 2);
  put(64, 1, 4);             // PT_LOAD
  put(68, 5, 4);             // read, execute
  put(80, 0x400000, 8);      // address
  put(88, 0x400000, 8);      // physical address
  put(96, file.size(), 8);   // in the file
  put(104, file.size(), 8);  // in memory
  put(112, 0x1000, 8);       // alignment
  file.replace(0x78, 12, std::string("\xbf\x2a\0\0\0\xb8\x3c\0\0\0\x0f\x05", 12));
  return file;
}

class Recorder : public Observer {
 public:
  void on(const Event& event) override {
    if (const auto* done = std::get_if<event::Done>(&event.what)) {
      stages.emplace_back(name(done->stage));
      summaries += std::string(done->summary) + "\n";
    }
    if (const auto* warning = std::get_if<event::Warning>(&event.what)) {
      warnings += std::string(warning->text) + "\n";
    }
  }
  std::vector<std::string> stages;
  std::string summaries, warnings;
};

class ShipTest : public ScratchTest {
 protected:
  ShipTest() { write("app", tiny_executable(), 0755); }
  report::SizeReport run(const ShipRequest& block) {
    recorder = {};
    return ship_executable(block,
                           {.base = folder,
                            .not_static = ErrorKind::failed,
                            .created = 0,
                            .step = "s",
                            .stop = {},
                            .measure = true},
                           recorder);
  }
  Recorder recorder;
};

std::vector<std::string> names(const report::SizeReport& report) {
  std::vector<std::string> names;
  for (const auto& stage : report.stages) names.push_back(stage.name);
  return names;
}

TEST_F(ShipTest, TellsOfEveryStageAndReportsAll) {
  const auto report =
      run({.binary = "app", .strip = true, .pack = true, .output = "app.small", .image = {}});
  EXPECT_THAT(recorder.stages, ElementsAre("audit", "strip", "pack", "image"));
  EXPECT_THAT(names(report), ElementsAre("built", "stripped", "packed", "layer", "image"));
  EXPECT_EQ(report.image_reference, "app:latest");
  EXPECT_EQ(report.output, (folder / "app.tar").native());
  EXPECT_EQ(report.stages[0].disk, 0x1000u);
  EXPECT_TRUE(report.stages[0].wire_gzip && report.stages[0].wire_zstd);
  EXPECT_EQ(report.stages[4].disk, std::filesystem::file_size(folder / "app.tar"));
  EXPECT_EQ(report.stages[2].disk, std::filesystem::file_size(folder / "app.small"));
  EXPECT_EQ(mode("app.small"), 0755);
  EXPECT_EQ(read("app"), tiny_executable());
}

// Of the layer, both sizes are those of the whole image; that which was made is not guessed.
TEST_F(ShipTest, WeighsFormsAloneAndTheImageAsAWhole) {
  ShipRequest block{.binary = "app", .strip = true, .pack = false, .output = "", .image = {}};
  block.image.workdir = "/srv";
  auto stages = run(block).stages;
  ASSERT_EQ(stages.size(), 4u);
  EXPECT_EQ(stages[2].name, "layer");
  EXPECT_EQ(stages[2].wire_gzip, stages[2].disk);
  EXPECT_EQ(stages[1].wire_gzip, stages[2].wire_gzip);  // nothing else is in it
  EXPECT_EQ(stages[1].wire_zstd, stages[2].wire_zstd);

  std::string data;  // which no compression makes smaller
  for (std::uint32_t i = 0, x = 1; i < 100000; i++) {
    x = x * 1664525 + 1013904223;
    data += static_cast<char>(x >> 24);
  }
  write("data", data);
  block.image.add = {"data:/data"};
  for (const auto compression : {imagegen::Compression::gzip, imagegen::Compression::zstd}) {
    block.image.compression = compression;
    const auto with_data = run(block);
    const bool is_gzip = compression == imagegen::Compression::gzip;
    EXPECT_EQ(with_data.stages[1].wire_gzip, stages[1].wire_gzip);
    EXPECT_EQ(with_data.stages[1].wire_zstd, stages[1].wire_zstd);
    const auto& layer = with_data.stages[2];
    EXPECT_EQ(is_gzip ? layer.wire_gzip : layer.wire_zstd, layer.disk);
    EXPECT_GT(is_gzip ? layer.wire_zstd : layer.wire_gzip, 99000u);
    EXPECT_TRUE(with_data.stages[1].wire_gzip < 2000u);
  }
}

TEST_F(ShipTest, NotWeighedIsUnknownAndNotZero) {
  const ShipRequest block{.binary = "app", .strip = true, .pack = true, .output = "", .image = {}};
  const auto report = ship_executable(block,
                                      {.base = folder,
                                       .not_static = ErrorKind::failed,
                                       .created = 0,
                                       .step = "s",
                                       .stop = {},
                                       .measure = false},
                                      recorder);
  EXPECT_FALSE(report.weighed);
  for (const auto& stage : report.stages) {
    EXPECT_FALSE(stage.wire_gzip || stage.wire_zstd) << stage.name;
  }
  EXPECT_THAT(report.verdicts, testing::Contains(HasSubstr("--no-weigh")));
}

// The program is smaller than any stub: it goes on unpacked, and the report says so.
TEST_F(ShipTest, ARefusalToPackGoesOnUnpacked) {
  const auto report =
      run({.binary = "app", .strip = false, .pack = true, .output = "", .image = {}});
  ASSERT_THAT(names(report), ElementsAre("built", "packed", "layer", "image"));
  EXPECT_EQ(report.stages[1].disk, report.stages[0].disk);
  EXPECT_THAT(report.stages[1].note, HasSubstr("kept: "));
  EXPECT_THAT(recorder.summaries, HasSubstr("kept unpacked: "));
}

TEST_F(ShipTest, ASetUidProgramIsNotPackedAndLosesThatBit) {
  write("app", tiny_executable(), 04755);
  run({.binary = "app", .strip = false, .pack = true, .output = "app.out", .image = {}});
  EXPECT_THAT(recorder.summaries, HasSubstr("kept unpacked: is set-uid"));
  EXPECT_THAT(recorder.warnings, HasSubstr("without its set-uid"));
  EXPECT_EQ(mode("app.out"), 0755);
}

TEST_F(ShipTest, TwoRunsGiveTheSameBytes) {
  ShipRequest block{.binary = "app", .strip = true, .pack = true, .output = "", .image = {}};
  block.image.output = "one.tar";
  run(block);
  block.image.output = "two.tar";
  run(block);
  EXPECT_FALSE(read("one.tar").empty());
  EXPECT_EQ(read("one.tar"), read("two.tar"));
}

TEST_F(ShipTest, ADynamicExecutableFailsWithItsReasons) {
  std::filesystem::copy_file("/proc/self/exe", folder / "dynamic");
  ShipRequest block;
  block.binary = "dynamic";
  const Error error = error_of([&] { run(block); });
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_THAT(error.what(), HasSubstr("cannot run in an empty image; it is dynamic: "));
  EXPECT_THAT(error.what(), HasSubstr("libc.so.6"));
  EXPECT_FALSE(std::filesystem::exists(folder / "dynamic.tar"));
}

TEST_F(ShipTest, AProgramForAnotherSystemIsRefused) {
  std::string program = tiny_executable();
  program[7] = 9;  // EI_OSABI: FreeBSD
  write("app", program, 0755);
  ShipRequest block;
  block.binary = "app";
  const Error error = error_of([&] { run(block); });
  EXPECT_EQ(error.kind(), ErrorKind::refused);
  EXPECT_THAT(error.message(), HasSubstr("is made for FreeBSD, not for Linux: EI_OSABI is 9"));
  EXPECT_FALSE(std::filesystem::exists(folder / "app.tar"));
}

TEST_F(ShipTest, AnImageThatCanNeverStartIsNotWritten) {
  ShipRequest block{
      .binary = "app", .strip = true, .pack = true, .output = "app.small", .image = {}};
  block.image.entrypoint = {"/other"};
  const Error error = error_of([&] { run(block); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_THAT(error.what(), HasSubstr("/other, is not in the image"));
  EXPECT_THAT(error.what(), HasSubstr("could never start"));
  EXPECT_FALSE(std::filesystem::exists(folder / "app.small"));
  EXPECT_FALSE(std::filesystem::exists(folder / "app.tar"));
  EXPECT_THAT(recorder.stages, ElementsAre("audit"));  // nor was any work done
}

TEST_F(ShipTest, WarningsAreInTheReport) {
  write("run.sh", "#!/bin/sh\n");
  ShipRequest block{.binary = "app", .strip = false, .pack = false, .output = "", .image = {}};
  EXPECT_THAT(run(block).warnings, testing::IsEmpty());
  block.image.add = {"run.sh:/run.sh:0755"};
  EXPECT_THAT(run(block).warnings,
              ElementsAre("in the image, 1 script for /bin/sh (missing): /run.sh"));
  EXPECT_THAT(recorder.warnings, HasSubstr("1 script for /bin/sh (missing): /run.sh"));
}

TEST_F(ShipTest, NeverWritesOverTheExecutable) {
  ShipRequest block{.binary = "app", .strip = true, .pack = true, .output = "app", .image = {}};
  EXPECT_EQ(error_of([&] { run(block); }).kind(), ErrorKind::usage);
  block.output = "";
  block.image.output = "app";
  EXPECT_EQ(error_of([&] { run(block); }).kind(), ErrorKind::usage);
  EXPECT_EQ(read("app"), tiny_executable());
}

TEST_F(ShipTest, NeverWritesIntoAFolderThatItAdds) {
  write("site/index.html", "hello");
  ShipRequest block{.binary = "app", .strip = false, .pack = false, .output = "", .image = {}};
  block.image.add = {"site:/srv/site"};
  block.image.output = "site/app.tar";
  EXPECT_THAT(error_of([&] { run(block); }).what(),
              HasSubstr("site/app.tar: is the image, in the"));
  block.image.output = "";
  block.image.layout = "site/lay";
  EXPECT_EQ(error_of([&] { run(block); }).kind(), ErrorKind::usage);
  block.image.layout = "lay";
  run(block);
  run(block);
  EXPECT_FALSE(std::filesystem::exists(folder / "site/lay"));
}

TEST_F(ShipTest, AStopIsNotAnError) {
  std::stop_source stop;
  stop.request_stop();
  ShipRequest block;
  block.binary = "app";
  EXPECT_THROW(ship_executable(block,
                               {.base = folder,
                                .not_static = ErrorKind::failed,
                                .created = 0,
                                .step = "",
                                .stop = stop.get_token()},
                               recorder),
               Stopped);
  EXPECT_FALSE(std::filesystem::exists(folder / "app.tar"));
}

TEST(SourceDate, IsSecondsOrAMistake) {
  EXPECT_EQ(source_date_epoch({}), 0);
  EXPECT_EQ(source_date_epoch({{"SOURCE_DATE_EPOCH", ""}}), 0);
  EXPECT_EQ(source_date_epoch({{"SOURCE_DATE_EPOCH", "1700000000"}}), 1700000000);
  for (const char* text : {"-1", "now", "1.5", " 1", "99999999999999999999"}) {
    EXPECT_EQ(error_of([&] {
                source_date_epoch({{"SOURCE_DATE_EPOCH", text}});
              }).kind(),
              ErrorKind::usage)
        << text;
  }
}

}  // namespace
}  // namespace whittle::ship
