// SPDX-License-Identifier: MIT
//
// The stub's size on disk, and `expand`, the part of it that also runs hosted.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "common/elf.h"
#include "packer/packer.h"
#include "packer/reader.h"
#include "packer/stub/expand.h"
#include "packer/stubs.h"
#include "tests/unit/packer/subjects.h"

namespace whittle {
namespace {

struct RecordedSize {
  std::string machine;
  std::size_t bytes = 0, budget = 0;
};

// packer/stub/sizes.csv, where the sizes stand for review.
std::vector<RecordedSize> recorded_sizes() {
  std::ifstream file(WHITTLE_SOURCE "/packer/stub/sizes.csv");
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, "machine,bytes,budget");
  std::vector<RecordedSize> sizes;
  while (std::getline(file, line)) {
    RecordedSize size;
    std::istringstream fields(line);
    std::getline(fields, size.machine, ',');
    char comma = 0;
    fields >> size.bytes >> comma >> size.budget;
    sizes.push_back(size);
  }
  return sizes;
}

TEST(Stub, StaysWithinItsBudgetAndItsRecordedSize) {
  std::set<std::string> recorded;
  for (const RecordedSize& size : recorded_sizes()) {
    SCOPED_TRACE(size.machine);
    recorded.insert(size.machine);
    for (const std::uint16_t machine : test::kMachines) {
      elf::Header header;
      header.machine = machine;
      if (elf::machine_name(header) != size.machine) continue;
      const packer::Stub* stub = packer::find_stub(machine);
      ASSERT_NE(stub, nullptr);
      EXPECT_EQ(stub->machine, machine);
      EXPECT_LE(stub->code.size(), size.budget);
      // Compilers of one major version differ a little; growth beyond that belongs to the commit
      // that causes it, as a change of sizes.csv.
      EXPECT_LE(stub->code.size(), size.bytes + size.bytes / 100) << "record the new size";
      EXPECT_GE(stub->code.size(), size.bytes - size.bytes / 100) << "record the new size";
    }
  }
  EXPECT_EQ(recorded, (std::set<std::string>{"x86-64", "aarch64", "riscv64"}));
  EXPECT_EQ(packer::find_stub(elf::kMachineS390), nullptr);
}

// A stub stands at any multiple of 16. adrp would tie it to pages: no word of it may look like one.
TEST(Stub, DoesNotDependOnItsPlaceInAPage) {
  const ByteView code = packer::find_stub(elf::kMachineAarch64)->code;
  for (std::size_t at = 0; at + 4 <= code.size(); at += 4) {
    std::uint32_t word;
    std::memcpy(&word, code.data() + at, 4);
    EXPECT_NE(word & 0x9f000000, 0x90000000) << "offset " << at;
  }
}

class Expand : public testing::Test {
 protected:
  Expand()
      : file_(test::packed_form(test::build(test::packable()).bytes)),
        view_(packer::PackedView::read(file_, "sample")),
        image_(view_.filled_size()),
        workspace_(std::make_unique<stub::ZstdWorkspace>()) {}

  stub::ExpandStatus expand(std::size_t size) {
    return stub::expand(view_.parts(), image_.data(), size, *workspace_);
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
  std::unique_ptr<stub::ZstdWorkspace> workspace_;
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
  EXPECT_EQ(expand(image_.size()), stub::ExpandStatus::bad_table);
}

TEST_F(Expand, DigestCoversTablesHeaderAndPayload) {
  EXPECT_EQ(stub::run_digest_of(view_.parts()), view_.header().run_digest);
  stream(0).address += 1;
  EXPECT_NE(stub::run_digest_of(view_.parts()), view_.header().run_digest);
}

}  // namespace
}  // namespace whittle
