// SPDX-License-Identifier: MIT
#include "packer/streams.h"

#include <algorithm>

#include "packer/stub/aarch64_code.h"
#include "packer/stub/riscv64_code.h"
#include "packer/stub/x86_code.h"
#include "packer/zstd_encoder.h"

namespace whittle::packer {
namespace {

// Code is transformed in pieces, so that several processors can share the way back.
constexpr std::uint64_t kCodePiece = std::uint64_t{1} << 20;

void to_absolute(std::uint32_t transform, std::uint8_t* code, std::uint64_t size,
                 std::uint64_t address) {
  switch (transform) {
    case kTransformX86:
      return stub::x86_to_absolute(code, size, address);
    case kTransformAarch64:
      return stub::aarch64_to_absolute(code, size, address);
    case kTransformRiscv64:
      return stub::riscv64_to_absolute(code, size, address);
  }
}

// Transforms `code` inside `stream`, piece by piece, where that makes it smaller.
void transform_code(const CodeRange& code, const PackPlan& plan, RawStream& stream,
                    std::vector<PackRegion>& regions) {
  const std::uint32_t transform = plan.machine->transform;
  const std::uint64_t offset = code.address - stream.address;
  const ByteView plain = ByteView(stream.bytes).subspan(offset, code.size);
  Bytes absolute(plain.begin(), plain.end());
  std::vector<PackRegion> pieces;
  for (std::uint64_t at = 0; at < code.size; at += kCodePiece) {
    const std::uint64_t size = std::min(kCodePiece, code.size - at);
    to_absolute(transform, absolute.data() + at, size, code.address + at - plan.image_vaddr);
    pieces.push_back({.address = code.address + at,
                      .size = size,
                      .transform = transform,
                      .first_part = 0,
                      .part_count = 0});
  }
  if (zstd_estimate(absolute) >= zstd_estimate(plain)) return;
  std::copy(absolute.begin(), absolute.end(),
            stream.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  regions.insert(regions.end(), pieces.begin(), pieces.end());
}

}  // namespace

std::vector<StreamGroup> split_into_streams(const elf::File& elf, const PackPlan& plan) {
  std::vector<StreamGroup> groups;
  for (const PackSegment& s : plan.segments) {
    if (s.file_size == 0) continue;
    const ByteView bytes = elf.bytes().subspan(s.file_offset, s.file_size);
    StreamGroup group;
    group.streams.push_back(
        {.kind = kStreamImage, .address = s.vaddr, .bytes = Bytes(bytes.begin(), bytes.end())});
    for (const CodeRange& code : plan.code) {
      if (code.address >= s.vaddr && in_bounds(code.address - s.vaddr, code.size, s.file_size)) {
        transform_code(code, plan, group.streams.front(), group.regions);
      }
    }
    groups.push_back(std::move(group));
  }
  if (!plan.rest.empty()) {
    RawStream rest{.kind = kStreamRest, .address = 0, .bytes = {}};
    for (const FileRange& range : plan.rest) {
      const ByteView bytes = elf.bytes().subspan(range.offset, range.size);
      rest.bytes.insert(rest.bytes.end(), bytes.begin(), bytes.end());
    }
    groups.push_back({.streams = {std::move(rest)}, .regions = {}});
  }
  return groups;
}

}  // namespace whittle::packer
