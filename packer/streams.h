// SPDX-License-Identifier: MIT
//
// From an executable to the streams of its packed form: the bytes of every segment with the
// transforms applied that make them smaller, the parts of regions that are split into several
// streams, and the rest of the file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "common/elf.h"
#include "packer/format.h"
#include "packer/plan.h"
#include "packer/ranges.h"

namespace whittle::packer {

// A stream before it is coded.
struct RawStream {
  std::uint32_t kind = kStreamImage;
  std::uint64_t address = 0;  // kStreamImage alone
  Bytes bytes;
  std::uint32_t code_transform = 0;  // kTransform… of the code in it, 0: there is none
};

// Streams that stay together, in this order: one alone, or the parts of one region.
struct StreamGroup {
  std::vector<RawStream> streams;
  std::vector<PackRegion> regions;  // `first_part` counts within the group
  std::uint64_t work = 0;           // bytes of memory that undoing their transforms takes
};

// A table that could be stored as streams and is not.
struct UnsplitTable {
  AddressRange range;           // size 0: not known
  std::uint32_t transform = 0;  // kTransform… that would have joined it
  std::string why;
};

// The tables that split_into_streams leaves as plain bytes; into `split`, those that it takes
// apart.
std::vector<UnsplitTable> find_unsplit_tables(const elf::File& elf, const PackPlan& plan,
                                              std::vector<UnsplitTable>& split);

// The groups hold every byte of `elf` once: image streams and the parts of regions what is in its
// segments, the last group the rest stream, where there is one. Image streams of more than
// `most` bytes are cut, so that several processors can share what is large.
std::vector<StreamGroup> split_into_streams(const elf::File& elf, const PackPlan& plan,
                                            std::uint64_t most);

}  // namespace whittle::packer
