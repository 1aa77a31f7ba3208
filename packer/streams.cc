// SPDX-License-Identifier: MIT
#include "packer/streams.h"

#include <algorithm>

#include "packer/go_tables.h"
#include "packer/stub/aarch64_code.h"
#include "packer/stub/go_tables.h"
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
  stream.code_transform = transform;
  std::copy(absolute.begin(), absolute.end(),
            stream.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  regions.insert(regions.end(), pieces.begin(), pieces.end());
}

// A range that is made from parts.
struct Composed {
  std::uint64_t offset = 0, size = 0;  // in the segment
  std::uint32_t transform = 0;
  std::vector<Bytes> parts;
};

// What a stream of its own costs beside its bytes: its entry in the table and the tables of its
// codec.
constexpr std::uint64_t kStreamCost = 100;

std::uint64_t estimate(const std::vector<Bytes>& parts) {
  std::uint64_t size = 0;
  for (const Bytes& part : parts) size += zstd_estimate(part) + kStreamCost;
  return size;
}

std::vector<stub::StreamView> views_of(const std::vector<Bytes>& parts) {
  std::vector<stub::StreamView> views;
  for (const Bytes& part : parts) views.push_back({part.data(), part.size()});
  return views;
}

// The ranges of a segment that are smaller in parts, ascending.
std::vector<Composed> find_composed(ByteView segment) {
  std::vector<Composed> found;
  for (const GoTable& table : find_go_tables(segment)) {
    auto parts = split_go_table(segment.subspan(table.offset, table.size));
    if (parts) found.push_back({table.offset, table.size, kTransformGoTable, std::move(*parts)});
  }
  std::erase_if(found, [&](const Composed& c) {
    const auto views = views_of(c.parts);
    const PackRegion region{.address = 0,
                            .size = c.size,
                            .transform = c.transform,
                            .first_part = 0,
                            .part_count = static_cast<std::uint16_t>(views.size())};
    return stub::go_table_scratch(views.data(), views.size(), c.size) > work_size(region) ||
           estimate(c.parts) >= zstd_estimate(segment.subspan(c.offset, c.size));
  });
  return found;
}

StreamGroup group_of(Composed composed, std::uint64_t address) {
  StreamGroup group;
  group.regions.push_back({.address = address,
                           .size = composed.size,
                           .transform = composed.transform,
                           .first_part = 0,
                           .part_count = static_cast<std::uint16_t>(composed.parts.size())});
  for (Bytes& part : composed.parts) {
    group.streams.push_back({.kind = kStreamPart, .address = 0, .bytes = std::move(part)});
  }
  return group;
}

StreamGroup image_group(ByteView bytes, std::uint64_t address, const PackPlan& plan) {
  StreamGroup group;
  group.streams.push_back(
      {.kind = kStreamImage, .address = address, .bytes = Bytes(bytes.begin(), bytes.end())});
  for (const CodeRange& code : plan.code) {
    if (code.address >= address && in_bounds(code.address - address, code.size, bytes.size())) {
      transform_code(code, plan, group.streams.front(), group.regions);
    }
  }
  return group;
}

}  // namespace

std::vector<StreamGroup> split_into_streams(const elf::File& elf, const PackPlan& plan) {
  std::vector<StreamGroup> groups;
  for (const PackSegment& s : plan.segments) {
    const ByteView bytes = elf.bytes().subspan(s.file_offset, s.file_size);
    std::uint64_t at = 0;  // in the segment
    for (Composed& composed : find_composed(bytes)) {
      if (composed.offset > at) {
        groups.push_back(image_group(bytes.subspan(at, composed.offset - at), s.vaddr + at, plan));
      }
      at = composed.offset + composed.size;
      const std::uint64_t address = s.vaddr + composed.offset;
      groups.push_back(group_of(std::move(composed), address));
    }
    if (at < bytes.size()) groups.push_back(image_group(bytes.subspan(at), s.vaddr + at, plan));
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
