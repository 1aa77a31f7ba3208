// SPDX-License-Identifier: MIT
//
// The stub's size on disk, and `expand`, the part of it that also runs hosted.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/elf.h"
#include "packer/container/reader.h"
#include "packer/container/stubs.h"
#include "packer/packer.h"
#include "packer/stub/expand.h"
#include "packer/stub/start/fold.h"
#include "tests/unit/packer/subjects.h"

namespace whittle {
namespace {

// "x86-64 zstd+go", as packer/stub/sizes.csv names it.
std::string name_of(const packer::Stub& stub) {
  elf::Header header;
  header.machine = stub.machine;
  std::string features;
  const auto add = [&](std::uint32_t feature, std::string_view name) {
    if ((stub.features & feature) == 0) return;
    if (!features.empty()) features += '+';
    features += name;
  };
  add(packer::kStubZstd, "zstd");
  add(packer::kStubMix, "mix");
  add(packer::kStubQuick, "quick");
  add(packer::kStubGo, "go");
  add(packer::kStubData, "data");
  return elf::machine_name(header) + ',' + features;
}

struct RecordedSizes {
  std::size_t code = 0, late = 0, budget = 0;
};

// packer/stub/sizes.csv, where the sizes stand for review.
std::map<std::string, RecordedSizes> recorded_sizes() {
  std::ifstream file(WHITTLE_SOURCE "/packer/stub/sizes.csv");
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, "machine,features,bytes,late,budget");
  std::map<std::string, RecordedSizes> sizes;
  while (std::getline(file, line)) {
    const std::size_t features_at = line.find(',') + 1;
    const std::size_t bytes_at = line.find(',', features_at);
    RecordedSizes& of = sizes[line.substr(0, bytes_at)];
    EXPECT_EQ(std::sscanf(line.c_str() + bytes_at, ",%zu,%zu,%zu", &of.code, &of.late, &of.budget),
              3);
  }
  return sizes;
}

// Compilers of one major version differ a little; growth beyond that belongs to the commit that
// causes it, as a change of sizes.csv.
void expect_recorded(std::size_t found, std::size_t recorded) {
  EXPECT_LE(found, recorded + recorded / 100) << "record the size";
  EXPECT_GE(found, recorded - recorded / 100) << "record the size";
}

TEST(Stub, StaysWithinItsBudgetAndItsRecordedSize) {
  const auto recorded = recorded_sizes();
  EXPECT_EQ(recorded.size(), packer::all_stubs().size());
  for (const packer::Stub& stub : packer::all_stubs()) {
    SCOPED_TRACE(name_of(stub));
    const auto found = recorded.find(name_of(stub));
    ASSERT_NE(found, recorded.end());
    const RecordedSizes& sizes = found->second;
    EXPECT_LE(stub.size(), sizes.budget);
    expect_recorded(stub.code.size(), sizes.code);
    expect_recorded(stub.late.size(), sizes.late);
  }
}

TEST(Stub, IsTheSmallestThatDoesTheWork) {
  for (const std::uint16_t machine : test::kMachines) {
    ASSERT_NE(packer::find_machine(machine), nullptr);
    for (const packer::Stub& stub : packer::all_stubs()) {
      if (stub.machine != machine) continue;
      const packer::Stub& found = packer::smallest_stub(machine, stub.features);
      EXPECT_EQ(found.machine, machine);
      EXPECT_EQ(found.features, stub.features) << "more than " << name_of(stub);
    }
  }
  EXPECT_EQ(packer::find_machine(elf::kMachineS390), nullptr);
}

TEST(Stub, HasLateCodeThatDecodesWhereItHasCodecMix) {
  const auto workspace = std::make_unique<stub::MixWorkspace>();
  for (const packer::Stub& stub : packer::all_stubs()) {
    SCOPED_TRACE(name_of(stub));
    EXPECT_EQ(stub.late.empty(), (stub.features & packer::kStubMix) == 0);
    EXPECT_EQ(stub.size(), stub.code.size() + stub.late.size());
    if (stub.late.empty()) continue;
    Bytes code(stub.late_size);
    EXPECT_EQ(
        stub::mix_decode(stub.late.data(), stub.late.size(), code.data(), code.size(), *workspace),
        stub::MixStatus::ok);
  }
}

// Where the folded part of a stub begins: the one place whose header fits what is behind it.
std::size_t fold_of(ByteView code) {
  for (std::size_t at = 0; at + sizeof(stub::FoldHeader) <= code.size(); at += 16) {
    stub::FoldHeader header;
    std::memcpy(&header, code.data() + at, sizeof header);
    const std::size_t room = code.size() - at - sizeof header;
    if (header.size <= room && room - header.size < 16 &&
        stub::fold_digest(code.data() + at + sizeof header, header.size) == header.digest) {
      return at;
    }
  }
  return 0;
}

TEST(Stub, IsFoldedButForWhatUnfoldsIt) {
  for (const packer::Stub& stub : packer::all_stubs()) {
    SCOPED_TRACE(name_of(stub));
    const std::size_t fold = fold_of(stub.code);
    EXPECT_GT(fold, 1000U);
    EXPECT_LT(fold, 2000U);
  }
}

// What unfolds a stub stands at any multiple of 16. adrp would tie it to pages: no word of it may
// look like one.
TEST(Stub, DoesNotDependOnItsPlaceInAPage) {
  for (const packer::Stub& stub : packer::all_stubs()) {
    if (stub.machine != elf::kMachineAarch64) continue;
    SCOPED_TRACE(name_of(stub));
    for (std::size_t at = 0; at + 4 <= fold_of(stub.code); at += 4) {
      std::uint32_t word;
      std::memcpy(&word, stub.code.data() + at, 4);
      EXPECT_NE(word & 0x9f000000, 0x90000000) << "offset " << at;
    }
  }
}

class Expand : public testing::Test {
 protected:
  Expand()
      : file_(test::packed_form(test::build(test::packable()).bytes)),
        view_(packer::PackedView::read(file_, "sample")),
        image_(view_.filled_size()),
        workspace_(std::make_unique<stub::Workspace>()) {}

  stub::ExpandStatus expand(std::size_t size) {
    const auto expansion = std::make_unique<stub::Expansion>();
    expansion->packed = view_.parts();
    expansion->image = image_.data();
    expansion->image_size = size;
    stub::expand(*expansion, *workspace_);
    return expansion->status;
  }
  // The expander's own view, whose tables a test may change.
  packer::PackStream& stream(std::size_t i) {
    return const_cast<packer::PackStream*>(view_.parts().streams)[i];
  }
  packer::PackRegion& region(std::size_t i) {
    return const_cast<packer::PackRegion*>(view_.parts().regions)[i];
  }

  Bytes file_;
  packer::PackedView view_;
  Bytes image_;
  std::unique_ptr<stub::Workspace> workspace_;
};

TEST_F(Expand, FillsTheImageWithTheOriginalsSegments) {
  ASSERT_EQ(expand(image_.size()), stub::ExpandStatus::ok);
  const Bytes original = test::build(test::packable()).bytes;
  for (const packer::PackSegment& s : view_.segments()) {
    EXPECT_EQ(0, std::memcmp(image_.data() + (s.vaddr - view_.header().image_vaddr),
                             original.data() + s.file_offset, s.file_size));
  }
}

TEST_F(Expand, SaysSoWhenTheImageIsTooSmall) {
  EXPECT_EQ(expand(image_.size() - 1), stub::ExpandStatus::bad_table);
  EXPECT_EQ(expand(0), stub::ExpandStatus::bad_table);
}

TEST_F(Expand, ChecksTablesEvenAfterTheDigest) {
  stream(0).packed_size += view_.header().payload_size;
  EXPECT_EQ(expand(image_.size()), stub::ExpandStatus::bad_table);
}

TEST_F(Expand, SaysSoWhenAStreamDoesNotDecode) {
  stream(0).codec = 99;
  EXPECT_EQ(expand(image_.size()), stub::ExpandStatus::bad_stream);
  stream(0).codec = packer::kCodecStored;
  EXPECT_EQ(expand(image_.size()), stub::ExpandStatus::bad_stream);
}

TEST_F(Expand, KnowsItsTransforms) {
  ASSERT_GT(view_.regions().size(), 0U);
  region(0).transform = 99;
  EXPECT_EQ(expand(image_.size()), stub::ExpandStatus::bad_region);
}

TEST_F(Expand, DigestCoversTablesHeaderAndPayload) {
  EXPECT_EQ(stub::run_digest_of(view_.parts()), view_.header().run_digest);
  stream(0).address += 1;
  EXPECT_NE(stub::run_digest_of(view_.parts()), view_.header().run_digest);
}

}  // namespace
}  // namespace whittle
