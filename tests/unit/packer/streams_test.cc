// SPDX-License-Identifier: MIT
#include "packer/streams.h"

#include <gtest/gtest.h>

#include <variant>

#include "common/elf.h"
#include "packer/plan.h"
#include "tests/unit/packer/subjects.h"

namespace whittle {
namespace {

// The image streams of a sample, of which none longer than `most` stays whole.
std::vector<packer::RawStream> image_streams(std::uint64_t most) {
  static const Bytes file = test::build(test::packable()).bytes;
  const elf::File elf = elf::File::parse(file, "sample");
  const auto plan = packer::plan(elf);
  std::vector<packer::RawStream> streams;
  for (auto& group : split_into_streams(elf, std::get<packer::PackPlan>(plan), most)) {
    for (auto& stream : group.streams) {
      if (stream.kind == packer::kStreamImage) streams.push_back(std::move(stream));
    }
  }
  return streams;
}

std::uint64_t size_of(const std::vector<packer::RawStream>& streams) {
  std::uint64_t size = 0;
  for (const packer::RawStream& stream : streams) size += stream.bytes.size();
  return size;
}

TEST(Streams, LargeOnesAreCut) {
  const auto whole = image_streams(UINT64_MAX), cut = image_streams(64);
  EXPECT_EQ(size_of(cut), size_of(whole));
  ASSERT_GT(cut.size(), whole.size());
  for (const packer::RawStream& stream : whole) {
    if (stream.bytes.size() <= 64) continue;
    bool begins = false, goes_on = false;
    for (const packer::RawStream& half : cut) {
      begins |= half.address == stream.address && half.bytes.size() < stream.bytes.size();
      goes_on |= half.address > stream.address &&
                 half.address + half.bytes.size() == stream.address + stream.bytes.size();
    }
    EXPECT_TRUE(begins && goes_on) << std::hex << stream.address;
  }
}

// Instructions of some machines begin at multiples of their length alone: a half that begins
// elsewhere could not be transformed as code.
TEST(Streams, AreCutWhereInstructionsMayBegin) {
  const auto whole = image_streams(UINT64_MAX);
  for (const packer::RawStream& half : image_streams(64)) {
    bool is_first = false;
    for (const packer::RawStream& stream : whole) is_first |= stream.address == half.address;
    EXPECT_TRUE(is_first || half.address % 16 == 0) << std::hex << half.address;
  }
}

}  // namespace
}  // namespace whittle
