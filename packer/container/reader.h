// SPDX-License-Identifier: MIT
//
// Takes a packed file apart without believing it: every count, size and address that the header
// gives is checked against the file and against the format's limits before anything is decoded.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "common/elf.h"
#include "packer/container/is_packed.h"
#include "packer/format.h"
#include "packer/ranges.h"
#include "packer/stub/packed.h"

namespace whittle::packer {

class PackedView {
 public:
  // Throws Error{refused} where `file` is not a packed file (plain text, a plain program) and
  // Error{corrupt} with the header's offset where it is one that cannot be right.
  static PackedView read(ByteView file, std::string_view path);
  PackedView(PackedView&&) = default;  // no copies: `parts_` points into `aligned_`

  const PackHeader& header() const { return *parts_.header; }
  const stub::Packed& parts() const { return parts_; }
  const std::vector<PackSegment>& segments() const { return segments_; }
  const std::vector<PackStream>& streams() const { return streams_; }
  const std::vector<PackRegion>& regions() const { return regions_; }
  ByteView packed_bytes(std::size_t stream) const { return packed_[stream]; }
  ByteView stub() const { return stub_; }
  std::uint64_t header_offset() const { return header_offset_; }  // in the file

  // Bytes from image_vaddr to the end of the last image stream.
  std::uint64_t filled_size() const { return filled_size_; }

 private:
  PackedView() = default;

  std::vector<std::uint64_t> aligned_;  // tables and header, copied to where they may be cast
  stub::Packed parts_{};
  std::vector<PackSegment> segments_;
  std::vector<PackStream> streams_;
  std::vector<PackRegion> regions_;
  std::vector<ByteView> packed_;
  ByteView stub_;
  std::uint64_t header_offset_ = 0, filled_size_ = 0;
};

// XXH64 of the whole file with the digest's own field as zero. `header_offset` lies in the file.
std::uint64_t file_digest_of(ByteView file, std::uint64_t header_offset);

// The ranges of a file of `size` bytes that no segment's file bytes cover, ascending.
std::vector<FileRange> uncovered_ranges(const std::vector<PackSegment>& segments,
                                        std::uint64_t size);

}  // namespace whittle::packer
