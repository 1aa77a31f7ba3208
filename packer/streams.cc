// SPDX-License-Identifier: MIT
#include "packer/streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "packer/codecs/zstd_encoder.h"
#include "packer/container/stubs.h"
#include "packer/stub/transforms/go_model.h"
#include "packer/stub/transforms/go_tables.h"
#include "packer/transforms/eh_frame.h"
#include "packer/transforms/exception_tables.h"
#include "packer/transforms/go_tables.h"
#include "packer/transforms/machine_code.h"
#include "packer/transforms/parts.h"
#include "packer/transforms/relocations.h"

namespace whittle::packer {
namespace {

// Code is transformed in pieces, so that several processors can share the inverse: of 1 MiB, or
// larger where those would take more than half of the regions that a file may have.
std::uint64_t code_piece(const PackPlan& plan) {
  std::uint64_t all = 0;
  for (const AddressRange& code : plan.code) all += code.size;
  return std::max(std::uint64_t{1} << 20, align_up(all / (kMaxTableEntries / 2), 16));
}

// Transforms `code` inside `stream`, piece by piece, where that makes it smaller.
void transform_code(const AddressRange& code, const PackPlan& plan, RawStream& stream,
                    std::vector<PackRegion>& regions) {
  const std::uint32_t transform = plan.machine->transform;
  if ((code.address - plan.image_vaddr) % alignment_of(transform) != 0) return;
  const std::uint64_t offset = code.address - stream.address;
  const ByteView plain = ByteView(stream.bytes).subspan(offset, code.size);
  Bytes absolute(plain.begin(), plain.end());
  std::vector<PackRegion> pieces;
  const std::uint64_t piece = code_piece(plan);
  for (std::uint64_t at = 0; at < code.size; at += piece) {
    const std::uint64_t size = std::min(piece, code.size - at);
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
  AddressRange range;
  std::uint32_t transform = 0;
  std::vector<Bytes> parts;
  std::uint64_t work = 0;  // bytes of memory in which the parts are joined
};

// What a separate stream costs in addition to its bytes: its entry in the table and the tables of
// its codec.
constexpr std::uint64_t kStreamCost = 100;

std::uint64_t estimate(const std::vector<Bytes>& parts) {
  std::uint64_t size = 0;
  for (const Bytes& part : parts) size += zstd_estimate(part) + kStreamCost;
  return size;
}

// The file bytes of a range that lies in one segment's.
std::optional<ByteView> bytes_at(const elf::File& elf, const AddressRange& range) {
  const auto offset = elf.offset_of(range.address, range.size);
  return offset ? std::optional(elf.bytes().subspan(*offset, range.size)) : std::nullopt;
}

static_assert(kGoTableRoom - 8 * stub::kHashed >=
              1365 * (sizeof(stub::GoSlot) + 2 * sizeof(stub::GoStep)));
static_assert(sizeof(stub::GoMemory::Entry) == 12);

using Unsplit = std::vector<UnsplitTable>;

std::vector<Composed> find_go(const elf::File& elf, const PackPlan& plan, Unsplit& unsplit) {
  std::vector<Composed> found;
  for (const PackSegment& s : plan.segments) {
    if (s.file_offset % 4 != 0) continue;  // the table's words are aligned, in the file as well
    const ByteView segment = elf.bytes().subspan(s.file_offset, s.file_size);
    const auto leave = [&](std::uint64_t offset, std::uint64_t size, std::string why) {
      unsplit.push_back({{s.vaddr + offset, size}, kTransformGoTable, std::move(why)});
    };
    const auto on_failure = [&](std::uint64_t offset, std::string why) {
      leave(offset, 0, std::move(why));
    };
    for (const GoTable& table : find_go_tables(segment, on_failure)) {
      auto parts = split_go_table(segment.subspan(table.offset, table.size));
      if (!parts) {
        leave(table.offset, table.size, std::move(parts.why));
        continue;
      }
      const auto views = views_of(*parts);
      const std::uint64_t work = stub::go_table_scratch(views.data(), views.size(), table.size);
      if (work > work_size(kTransformGoTable, table.size)) {
        leave(table.offset, table.size,
              fmt::format("joining it takes {} bytes of memory, more than a stub may use", work));
        continue;
      }
      found.push_back(
          {{s.vaddr + table.offset, table.size}, kTransformGoTable, std::move(*parts), work});
    }
  }
  return found;
}

// Every range that might be smaller in parts.
std::vector<Composed> find_candidates(const elf::File& elf, const PackPlan& plan,
                                      Unsplit& unsplit) {
  std::vector<Composed> found = find_go(elf, plan, unsplit);
  const auto add = [&](std::uint32_t transform, const std::optional<AddressRange>& range,
                       const auto& split) {
    if (!range) return;
    const auto leave = [&](std::string why) {
      unsplit.push_back({*range, transform, std::move(why)});
    };
    const std::uint64_t alignment = alignment_of(transform);
    if ((range->address - plan.image_vaddr) % alignment != 0) {
      return leave(fmt::format("its address is not a multiple of {}", alignment));
    }
    const auto bytes = bytes_at(elf, *range);
    if (!bytes) return leave("it is not within the file bytes of one segment");
    Split parts = split(*bytes);
    if (!parts) return leave(std::move(parts.why));
    found.push_back({*range, transform, std::move(*parts)});
  };
  const auto unwind = find_eh_frame(elf);
  add(kTransformEhFrame, unwind,
      [&](ByteView bytes) { return split_eh_frame(bytes, unwind->address); });
  add(kTransformExceptionTables, find_exception_tables(elf),
      [](ByteView bytes) { return Split(split_exception_tables(bytes)); });
  add(kTransformRelocations, find_relocations(elf),
      [](ByteView bytes) { return split_relocations(bytes); });
  return found;
}

// Bytes of a stub's code for a feature.
std::uint64_t joining_code(std::uint16_t machine, std::uint32_t feature) {
  return smallest_stub(machine, kStubZstd | feature).code.size() -
         smallest_stub(machine, kStubZstd).code.size();
}

// Those that are, and together by more than the code in the stub that joins them; ascending, no two
// share a byte.
std::vector<Composed> find_composed(const elf::File& elf, const PackPlan& plan, Unsplit& unsplit) {
  std::vector<Composed> found = find_candidates(elf, plan, unsplit);
  const auto leave = [&](const Composed& c, std::string why) {
    unsplit.push_back({c.range, c.transform, std::move(why)});
    return true;
  };
  std::map<std::uint32_t, std::uint64_t> gains;  // by feature
  std::erase_if(found, [&](const Composed& c) {
    const auto bytes = bytes_at(elf, c.range);
    const std::uint64_t whole = bytes ? zstd_estimate(*bytes) : 0, parts = estimate(c.parts);
    gains[feature_of(c.transform)] += whole - std::min(whole, parts);
    return parts >= whole &&
           leave(c, fmt::format("its streams would take {} bytes, and it takes {} as it is", parts,
                                whole));
  });
  std::erase_if(found, [&](const Composed& c) {
    const std::uint32_t feature = feature_of(c.transform);
    const std::uint64_t code = joining_code(plan.machine->machine, feature);
    return gains[feature] <= code &&
           leave(c, fmt::format("it would save {} bytes, and the code that joins it takes {}",
                                gains[feature], code));
  });
  std::stable_sort(found.begin(), found.end(), [](const Composed& a, const Composed& b) {
    return a.range.address < b.range.address;
  });
  std::uint64_t end = 0;
  std::erase_if(found, [&](const Composed& c) {
    if (c.range.address < end) return leave(c, "it shares bytes with another table");
    end = c.range.address + c.range.size;
    return false;
  });
  return found;
}

StreamGroup group_of(Composed composed) {
  StreamGroup group{.streams = {}, .regions = {}, .work = composed.work};
  group.regions.push_back({.address = composed.range.address,
                           .size = composed.range.size,
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
  for (const AddressRange& code : plan.code) {
    const std::uint64_t begin = std::max(code.address, address);
    const std::uint64_t end = std::min(code.address + code.size, address + bytes.size());
    if (begin < end) {
      transform_code({begin, end - begin}, plan, group.streams.front(), group.regions);
    }
  }
  return group;
}

// The image streams of `bytes`, which are at `address`: one stream, or an even number of equal
// pieces that keep two processors equally busy, none larger than `most`. Cuts are at multiples of
// 16, where instructions of every machine may begin.
void add_image_groups(ByteView bytes, std::uint64_t address, std::uint64_t most,
                      const PackPlan& plan, std::vector<StreamGroup>& groups) {
  const std::uint64_t size = bytes.size();
  std::uint64_t count = size / most + (size % most != 0 ? 1 : 0);
  if (count > 1) count += count % 2;
  std::uint64_t at = 0;
  for (std::uint64_t i = 1; i <= count; i++) {
    const std::uint64_t end =
        i == count ? size : std::min(size, align_up(address + size / count * i, 16) - address);
    if (end > at) groups.push_back(image_group(bytes.subspan(at, end - at), address + at, plan));
    at = end;
  }
}

}  // namespace

std::vector<UnsplitTable> find_unsplit_tables(const elf::File& elf, const PackPlan& plan,
                                              std::vector<UnsplitTable>& split) {
  Unsplit unsplit;
  for (const Composed& c : find_composed(elf, plan, unsplit)) {
    split.push_back({c.range, c.transform, ""});
  }
  return unsplit;
}

std::vector<StreamGroup> split_into_streams(const elf::File& elf, const PackPlan& plan,
                                            std::uint64_t most) {
  std::vector<StreamGroup> groups;
  Unsplit unsplit;
  std::vector<Composed> composed = find_composed(elf, plan, unsplit);
  for (const PackSegment& s : plan.segments) {
    const ByteView bytes = elf.bytes().subspan(s.file_offset, s.file_size);
    std::uint64_t at = 0;  // in the segment
    for (Composed& c : composed) {
      if (c.range.address < s.vaddr ||
          !in_bounds(c.range.address - s.vaddr, c.range.size, s.file_size)) {
        continue;
      }
      const std::uint64_t begin = c.range.address - s.vaddr;
      add_image_groups(bytes.subspan(at, begin - at), s.vaddr + at, most, plan, groups);
      at = begin + c.range.size;
      groups.push_back(group_of(std::move(c)));
    }
    add_image_groups(bytes.subspan(at), s.vaddr + at, most, plan, groups);
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
