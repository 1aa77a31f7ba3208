// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "analyzer/analyzer.h"
#include "common/file.h"
#include "tests/unit/analyzer/programs.h"
#include "tests/unit/common/elf_builder.h"
#include "tests/unit/common/scratch.h"

namespace whittle::analyzer {
namespace {

namespace fs = std::filesystem;
using test::ElfSpec;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AuditTest : public testing::Test {
 protected:
  fs::path path(const std::string& name) const { return scratch_.path() / name; }
  void put(const std::string& name, ByteView bytes, mode_t mode = 0755) {
    fs::create_directories(path(name).parent_path());
    write_file_atomic(path(name), bytes, mode);
  }
  void put_elf(const std::string& name, const ElfSpec& spec, mode_t mode = 0755) {
    put(name, test::build(spec).bytes, mode);
  }
  // "name: kind" or "name: error CODE" for each audited file.
  std::vector<std::string> audit_names(const std::vector<fs::path>& paths) const {
    std::vector<std::string> lines;
    for (const AuditedFile& file : audit(paths)) {
      EXPECT_EQ(file.report.has_value(), file.error.empty());
      lines.push_back(fs::path(file.path).lexically_relative(scratch_.path()).native() + ": " +
                      (file.report ? std::string(name(file.report->kind))
                                   : "error " + std::to_string(file.error_exit_code)));
    }
    return lines;
  }

  static ElfSpec dynamic() {
    ElfSpec spec;
    spec.interpreter = "/lib/ld.so";
    return spec;
  }
  static ElfSpec library() {
    ElfSpec spec;
    spec.type = elf::kTypeDyn;
    spec.soname = "lib.so";
    return spec;
  }
  static ElfSpec object() {
    ElfSpec spec;
    spec.type = elf::kTypeRel;
    return spec;
  }

  test::Scratch scratch_;
};

TEST_F(AuditTest, WalksAFolderInSortedOrderAndPassesOverNonExecutables) {
  put_elf("b/dynamic", dynamic());
  put_elf("a/static", {});
  put_elf("a/static-without-x", {}, 0644);
  put_elf("c/lib.so", library(), 0644);
  put_elf("c/runnable.so", library(), 0755);
  put_elf("c/object.o", object());
  put("script", as_bytes("#!/bin/sh\n"));
  put("text", as_bytes("text"));
  put("empty", {});
  EXPECT_THAT(audit_names({scratch_.path()}),
              ElementsAre("a/static: static", "a/static-without-x: static", "b/dynamic: dynamic",
                          "c/runnable.so: shared-object"));
}

TEST_F(AuditTest, ReportsWhatIsNamedWhateverItIs) {
  put_elf("lib.so", library(), 0644);
  put("text", as_bytes("text"));
  put("script", as_bytes("#!/bin/sh\n"));
  EXPECT_THAT(
      audit_names({path("text"), path("lib.so"), path("script"), path("missing")}),
      ElementsAre("text: not-elf", "lib.so: shared-object", "script: script", "missing: error 5"));
}

TEST_F(AuditTest, GoesOnBehindADamagedFile) {
  put("a", as_bytes("\x7f"
                    "ELF but no more"));
  put_elf("b", {});
  const auto files = audit({scratch_.path()});
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].error_exit_code, 4);
  EXPECT_THAT(files[0].error, HasSubstr("offset"));
  ASSERT_TRUE(files[1].report);
  EXPECT_EQ(files[1].report->kind, Kind::static_executable);
}

TEST_F(AuditTest, FollowsNoSymbolicLinksInFolders) {
  put_elf("real/static", {});
  fs::create_directories(path("tree"));
  fs::create_directory_symlink(path("tree"), path("tree/loop"));
  fs::create_directory_symlink(path("real"), path("tree/elsewhere"));
  fs::create_symlink(path("real/static"), path("tree/link"));
  fs::create_symlink("nothing", path("tree/dangling"));
  EXPECT_THAT(audit_names({path("tree")}), IsEmpty());
  // A link that the caller names is meant.
  EXPECT_THAT(audit_names({path("tree/link")}), ElementsAre("tree/link: static"));
  EXPECT_THAT(audit_names({path("tree/elsewhere")}), ElementsAre("tree/elsewhere/static: static"));
}

TEST_F(AuditTest, DoesNotOpenWhatCouldBlock) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0666), 0);
  EXPECT_THAT(audit_names({scratch_.path()}), IsEmpty());
  EXPECT_THAT(audit_names({path("fifo")}), ElementsAre("fifo: error 3"));
}

TEST_F(AuditTest, TellsWhatItMayNotRead) {
  put_elf("a/secret", {});
  put_elf("b/static", {});
  fs::create_directories(path("locked"));
  ASSERT_EQ(::chmod(path("a/secret").c_str(), 0), 0);
  ASSERT_EQ(::chmod(path("locked").c_str(), 0), 0);
  ASSERT_EQ(::chmod(scratch_.path().c_str(), 0755), 0);
  const bool root = ::geteuid() == 0;  // root may read everything
  if (root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto lines = audit_names({scratch_.path()});
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_THAT(lines, ElementsAre("a/secret: error 5", "b/static: static", "locked: error 5"));
  ASSERT_EQ(::chmod(path("locked").c_str(), 0755), 0);
}

TEST_F(AuditTest, AnEmptyFolderGivesNothing) {
  EXPECT_THAT(audit_names({scratch_.path()}), IsEmpty());
  EXPECT_THAT(audit_names({}), IsEmpty());
}

TEST_F(AuditTest, OfVerdictsOnlyIsTheSameWithoutTheRest) {
  put_elf("a", {});
  put_elf("b", dynamic());
  put("c", as_bytes("\x7f"
                    "ELF and nothing more"));
  put_elf("lib.so", library(), 0644);
  const auto whole = audit({scratch_.path()});
  const auto plain = audit({scratch_.path()}, {.root = {}, .contents = false, .progress = {}});
  ASSERT_EQ(plain.size(), 3u);
  ASSERT_EQ(whole.size(), 3u);
  for (std::size_t i = 0; i < plain.size(); i++) {
    EXPECT_EQ(plain[i].path, whole[i].path);
    EXPECT_EQ(plain[i].error, whole[i].error);
    ASSERT_EQ(plain[i].report.has_value(), whole[i].report.has_value());
    if (!plain[i].report) continue;
    EXPECT_EQ(plain[i].report->kind, whole[i].report->kind);
    EXPECT_FALSE(plain[i].report->has_contents);
    EXPECT_TRUE(whole[i].report->has_contents);
  }
}

// Their headers are those of a program, whose strings and libraries are not there.
TEST_F(AuditTest, DebugInformationSplitFromAProgramIsPassedOver) {
  WHITTLE_NEEDS_PROGRAM("hard_partial");
  const std::string companion = path("program.debug").native();
  const auto made = test::run("objcopy --only-keep-debug " +
                              test::program_path("hard_partial").native() + " " + companion);
  ASSERT_EQ(made.exit_code, 0) << made.output;
  fs::permissions(companion, fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_THAT(audit_names({scratch_.path()}), IsEmpty());
  EXPECT_EQ(audit_names({companion}).size(), 1u);
  fs::permissions(companion, fs::perms::owner_all);  // whoever may execute it has to be told
  EXPECT_EQ(audit_names({scratch_.path()}).size(), 1u);
}

// A packer of the tests' own: "PACK" behind an ELF file's end stands for the program in `inside`.
class PackedAuditTest : public AuditTest {
 protected:
  void put_packed(const std::string& name) {
    ElfSpec spec;
    spec.overlay = "PACK";
    put_elf(name, spec);
  }
  AuditOptions options(const Bytes& inside, std::uint64_t memory) {
    AuditOptions options;
    options.digests = true;
    options.find_packed = [=, this](ByteView file,
                                    std::string_view) -> std::optional<PackedProgram> {
      if (!as_text(file).ends_with("PACK")) return std::nullopt;
      PackedProgram program{.packing = {.packer = "test", .level = "best", .hidden = false}};
      program.packing.original_size = inside.size();
      program.memory = memory;
      program.unpack = [=, this] {
        most_ = std::max<std::uint64_t>(most_, in_use_ += memory);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        in_use_ -= memory;
        return inside;
      };
      return program;
    };
    return options;
  }

  std::atomic<std::uint64_t> in_use_ = 0, most_ = 0;
};

TEST_F(PackedAuditTest, TellsOfTheProgramInside) {
  put_packed("packed");
  put_elf("plain", {});
  ElfSpec spec = dynamic();
  spec.data = std::string(100, '\0') + "/bin/sh" + std::string(10'000, '\0');
  const Bytes inside = test::build(spec).bytes;
  const auto files = audit({path("packed"), path("plain")}, options(inside, 1000));
  ASSERT_EQ(files.size(), 2u);
  ASSERT_TRUE(files[0].report && files[1].report);
  const BinaryReport& report = *files[0].report;
  EXPECT_EQ(report.kind, Kind::dynamic_executable);
  EXPECT_EQ(report.size, fs::file_size(path("packed")));
  EXPECT_NE(report.sha256, "");
  EXPECT_NE(report.sha256, inspect(inside, "f", {.symbols = false, .digests = true}).sha256);
  ASSERT_TRUE(report.packing);
  EXPECT_EQ(report.packing->packer, "test");
  EXPECT_EQ(report.packing->original_size, inside.size());
  EXPECT_FALSE(report.packing->hidden);
  for (const Need& need : report.needs) {
    for (const Evidence& evidence : need.evidence) EXPECT_FALSE(evidence.offset);
  }
  EXPECT_EQ(files[1].report->kind, Kind::static_executable);
  EXPECT_FALSE(files[1].report->packing);
}

TEST_F(PackedAuditTest, SharesItsMemoryOut) {
  for (int i = 0; i < 12; i++) put_packed("packed" + std::to_string(i));
  constexpr std::uint64_t kMemory = std::uint64_t{300} << 20;
  AuditOptions limited = options(test::build({}).bytes, kMemory);
  limited.jobs = 6;
  for (const AuditedFile& file : audit({scratch_.path()}, limited)) {
    ASSERT_TRUE(file.report) << file.error;
    EXPECT_FALSE(file.report->packing->hidden);
  }
  EXPECT_EQ(most_, 2 * kMemory);
}

TEST_F(PackedAuditTest, LeavesWhatIsTooLargePacked) {
  put_packed("bomb");
  const auto files =
      audit({path("bomb")}, options(test::build({}).bytes, std::uint64_t{900} << 20));
  ASSERT_TRUE(files.at(0).report);
  EXPECT_EQ(files[0].report->kind, Kind::packed);
  EXPECT_EQ(files[0].report->reasons.at(0).id, "packed/too-large");
  EXPECT_TRUE(files[0].report->packing->hidden);
  EXPECT_EQ(most_, 0u);
}

TEST_F(PackedAuditTest, GoesOnBehindADamagedOne) {
  put_packed("packed");
  put_elf("plain", {});
  AuditOptions broken = options({}, 1);
  broken.find_packed = [](ByteView file, std::string_view path) -> std::optional<PackedProgram> {
    if (!as_text(file).ends_with("PACK")) return std::nullopt;
    return PackedProgram{.packing = {.packer = "test"}, .memory = 1, .unpack = [=]() -> Bytes {
                           throw Error(ErrorKind::corrupt, path, "is damaged");
                         }};
  };
  const auto files = audit({scratch_.path()}, broken);
  ASSERT_EQ(files.size(), 2u);
  EXPECT_THAT(files[0].error, HasSubstr("is damaged"));
  EXPECT_EQ(files[0].error_exit_code, exit_code(ErrorKind::corrupt));
  EXPECT_TRUE(files[1].report);
}

}  // namespace
}  // namespace whittle::analyzer
