// SPDX-License-Identifier: MIT
#include "packer/container/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "common/error.h"
#include "packer/container/stubs.h"
#include "packer/ranges.h"
#include "packer/stub/base/xxh64.h"
#include "packer/stub/transforms/stream_view.h"

namespace whittle::packer {
namespace {

constexpr std::uint64_t kPieceAlign = 16;    // of stub and payload; fewer bytes pad any piece
constexpr std::uint64_t kEscapePage = 4096;  // the smallest page: is there whatever the size
constexpr std::uint32_t kSegmentFlags = elf::kFlagExecute | elf::kFlagWrite | elf::kFlagRead;

// Offset of the header, which ends where the entry point's code begins, if the magic is there.
std::optional<std::uint64_t> find_header(const elf::File& elf) {
  const auto stub = elf.offset_of(elf.header().entry);
  if (!stub || *stub < sizeof(PackHeader)) return std::nullopt;
  const std::uint64_t at = *stub - sizeof(PackHeader);
  if (std::memcmp(elf.bytes().data() + at, kPackMagic, sizeof kPackMagic) != 0) {
    return std::nullopt;
  }
  return at;
}

template <typename T>
std::vector<T> copy_table(const T* from, std::size_t count) {
  return std::vector<T>(from, from + count);
}

// What is wrong with one part of the file, if anything is. The functions below look at one part
// each and rely on those before them.
using Fault = std::optional<std::string>;

Fault fault_in_header(const PackHeader& header, const elf::File& elf) {
  if (header.machine != elf.header().machine) return "machine differs from the ELF header's";
  if (find_machine(header.machine) == nullptr) {
    return "there are no packed programs for this machine";
  }
  if (header.level != kLevelFast && header.level != kLevelSmall)
    return fmt::format("unknown level {}", header.level);
  if (header.segment_count == 0 || header.segment_count > kMaxSegments ||
      header.stream_count > kMaxTableEntries || header.region_count > kMaxTableEntries) {
    return "table counts beyond the limits";
  }
  if (header.first_held > header.stream_count) return "the first held stream does not exist";
  if (header.image_size > kMaxImageSize || header.image_vaddr > UINT64_MAX - header.image_size) {
    return "image size beyond the limit";
  }
  if (header.original_size > kMaxFileSize ||
      header.original_size > kMaxExpansion * elf.bytes().size()) {
    return fmt::format("original size {} beyond the limit", header.original_size);
  }
  return std::nullopt;
}

Fault fault_in_note(const std::uint8_t* from, std::uint64_t descriptor_size) {
  PackNote note;
  std::memcpy(&note, from, sizeof note);
  if (note.name_size != sizeof note.name || note.type != kPackNoteType ||
      std::memcmp(note.name, kPackNoteName, sizeof note.name) != 0 ||
      note.descriptor_size != descriptor_size) {
    return "there is no note of whittle's before the tables";
  }
  return std::nullopt;
}

// The stub finds everything by these addresses.
Fault fault_in_layout(const PackHeader& header, std::uint64_t header_at, std::uint64_t payload_at) {
  const std::uint64_t stub_at = header_at + sizeof header;
  if (stub_at % kPieceAlign != 0) return "the stub is not aligned";
  if (payload_at % kPieceAlign != 0) return "the payload is not aligned";
  if (payload_at < stub_at) return "the payload is before the stub";
  if (header.header_vaddr - header.stub_vaddr != header_at) return "wrong address of the header";
  if (header.stub_size < stub_at || header.stub_size > payload_at ||
      payload_at - header.stub_size >= kPieceAlign) {
    return "wrong size of the stub";
  }
  return std::nullopt;
}

bool is_escape_of(std::uint64_t escape, const PackSegment& s) {
  const std::uint64_t end = s.vaddr + s.memory_size;
  return s.file_size == s.memory_size && escape % 16 == 0 && escape >= end &&
         in_bounds(escape - end, kEscapeSize, align_up(end, kEscapePage) - end);
}

Fault fault_in_segments(const PackHeader& header, const std::vector<PackSegment>& segments) {
  bool entry_in_code = false, escape_behind_code = header.escape_vaddr == 0;
  std::uint64_t at = header.image_vaddr;
  for (const PackSegment& s : segments) {
    if (s.vaddr < header.image_vaddr ||
        !in_bounds(s.vaddr - header.image_vaddr, s.memory_size, header.image_size) ||
        s.file_size > s.memory_size ||
        !in_bounds(s.file_offset, s.file_size, header.original_size)) {
      return "a segment is outside the image or the original file";
    }
    if (s.vaddr < at) return "segments overlap or do not ascend";
    at = s.vaddr + s.memory_size;
    if ((s.flags & ~kSegmentFlags) != 0) return "unknown segment flags";
    const bool is_code = (s.flags & elf::kFlagExecute) != 0;
    const bool may_be_guarded = is_code && header.machine == elf::kMachineAarch64;
    if (s.guard != 0 && (s.guard != kGuardBti || !may_be_guarded)) return "an unknown guard";
    if (!is_code) continue;
    entry_in_code |= header.entry >= s.vaddr && header.entry - s.vaddr < s.file_size;
    escape_behind_code |= is_escape_of(header.escape_vaddr, s);
  }
  if (!entry_in_code) return "the entry point is outside any code";
  if (!escape_behind_code) return "the escape is not directly after code";
  return std::nullopt;
}

// Whether [address, address + size) lies in one of the ranges; those do not wrap.
bool in_one_of(const std::vector<AddressRange>& ranges, std::uint64_t address, std::uint64_t size) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const AddressRange& range) {
    return address >= range.address && in_bounds(address - range.address, size, range.size);
  });
}

// Whether no two of the ranges share a byte.
bool are_apart(std::vector<AddressRange> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const AddressRange& a, const AddressRange& b) {
    return a.address != b.address ? a.address < b.address : a.size < b.size;
  });
  for (std::size_t i = 1; i < ranges.size(); i++) {
    if (ranges[i].address - ranges[i - 1].address < ranges[i - 1].size) return false;
  }
  return true;
}

Fault fault_in_streams(const PackHeader& header, const std::vector<PackSegment>& segments,
                       const std::vector<PackStream>& streams, std::uint64_t packed_room) {
  std::uint64_t rest_expected = 0;
  for (const FileRange& range : uncovered_ranges(segments, header.original_size)) {
    rest_expected += range.size;
  }
  std::uint64_t raw = 0, rest_raw = 0, scratch = 0, in_payload = 0, packed = 0;
  bool in_rest = false;
  for (const PackStream& s : streams) {
    if (!in_bounds(packed, s.packed_size, packed_room)) return "a stream is outside the file";
    packed += s.packed_size;
    if (s.raw_size > kMaxFileSize - raw) return "stream sizes are beyond the limit";
    raw += s.raw_size;
    if (s.kind == kStreamRest) {
      if (s.address != 0) return "a stream outside the image has an address";
      in_rest = true;
      rest_raw += s.raw_size;
      continue;
    }
    if (in_rest) return "streams are out of order";
    in_payload += s.packed_size;
    if (s.kind == kStreamStub) {
      if (&s != &streams.front()) return "the stub's code is not the first stream";
      if (s.address != 0) return "the stub's code has an address";
      if (s.codec != kCodecMix) return "the stub's code has another codec";
    } else if (s.kind == kStreamPart) {
      scratch = align_up(scratch, kPartAlignment);
      if (s.address != scratch) return "parts are out of order";
      scratch += s.raw_size;
    } else if (s.kind != kStreamImage) {
      return "unknown kind of stream";
    }
  }
  if (in_payload != header.payload_size) return "streams do not fill the payload";
  if (packed != packed_room) return "the file does not end where its last stream does";
  if (rest_raw != rest_expected) return "streams do not fill the original file";
  return std::nullopt;
}

// The image streams and the regions that are made from parts hold every byte of the segments once.
Fault fault_in_filling(const std::vector<PackSegment>& segments,
                       const std::vector<PackStream>& streams,
                       const std::vector<PackRegion>& regions) {
  std::vector<AddressRange> in_file, filled;
  std::uint64_t expected = 0, size = 0;
  for (const PackSegment& s : segments) {
    in_file.push_back({s.vaddr, s.file_size});
    expected += s.file_size;
  }
  // Segments may share bytes of the file, so its size bounds none of this.
  if (expected > kMaxFileSize) return "segments hold more than the limit";
  for (const PackStream& s : streams) {
    if (s.kind == kStreamImage) filled.push_back({s.address, s.raw_size});
  }
  for (const PackRegion& r : regions) {
    if (r.part_count != 0) filled.push_back({r.address, r.size});
  }
  for (const AddressRange& range : filled) {
    if (!in_one_of(in_file, range.address, range.size)) {
      return "a stream or region is outside the segments";
    }
    size += range.size;
  }
  if (!are_apart(filled)) return "streams or regions overlap";
  if (size != expected) return "streams and regions do not fill the segments";
  return std::nullopt;
}

Fault fault_in_regions(const PackHeader& header, const std::vector<PackStream>& streams,
                       const std::vector<PackRegion>& regions) {
  std::vector<AddressRange> decoded, in_place;
  for (const PackStream& s : streams) {
    if (s.kind == kStreamImage) decoded.push_back({s.address, s.raw_size});
  }
  std::vector<bool> is_used(streams.size());
  const std::uint32_t code_transform = find_machine(header.machine)->transform;
  for (const PackRegion& r : regions) {
    const bool from_parts = r.transform > kTransformLastCode && r.transform <= kTransformLast;
    if (r.part_count == 0 ? r.transform != code_transform : !from_parts) {
      return "unknown transform for this machine";
    }
    if ((r.address - header.image_vaddr) % alignment_of(r.transform) != 0) {
      return "a region is not aligned";
    }
    if (r.part_count == 0) {
      if (r.first_part != 0) return "a region has a first part and no parts";
      if (!in_one_of(decoded, r.address, r.size)) return "a region is not inside one stream";
      in_place.push_back({r.address, r.size});
      continue;
    }
    if (r.part_count > stub::kMaxParts || r.first_part + r.part_count > streams.size()) {
      return "a region's parts do not exist";
    }
    for (std::size_t i = r.first_part; i < std::size_t{r.first_part} + r.part_count; i++) {
      if (streams[i].kind != kStreamPart || is_used[i]) return "a region's parts are not its own";
      is_used[i] = true;
    }
  }
  for (std::size_t i = 0; i < streams.size(); i++) {
    if (streams[i].kind == kStreamPart && !is_used[i]) return "a part belongs to no region";
  }
  if (!are_apart(in_place)) return "regions overlap";
  return std::nullopt;
}

}  // namespace

bool is_packed(ByteView file) {
  try {
    return elf::has_magic(file) && find_header(elf::File::parse(file, "")).has_value();
  } catch (const Error&) {
    return false;
  }
}

PackedView PackedView::read(ByteView file, std::string_view path) {
  if (!elf::has_magic(file)) {
    throw Error(ErrorKind::refused, path, "is not an ELF file, so it was not packed by whittle");
  }
  const elf::File elf = elf::File::parse(file, path);
  const auto header_at = find_header(elf);
  if (!header_at) {
    throw Error(ErrorKind::refused, path,
                "is not packed by whittle (no header at its entry point)");
  }
  const auto demand = [&](const Fault& fault) {
    if (fault) {
      throw Error(ErrorKind::corrupt, path, fmt::format("packed header: {}", *fault), *header_at);
    }
  };

  PackedView view;
  view.header_offset_ = *header_at;
  PackHeader header;
  std::memcpy(&header, file.data() + *header_at, sizeof header);
  if (header.version != kFormatVersion) {
    throw Error(ErrorKind::refused, path,
                fmt::format("is packed in format {}, but this whittle reads format {}",
                            header.version, kFormatVersion),
                *header_at);
  }
  demand(fault_in_header(header, elf));
  const std::uint64_t tables = tables_size(header);
  if (tables + sizeof(PackNote) > *header_at) demand("the tables are outside the file");
  const std::uint8_t* tables_at = file.data() + *header_at - tables;
  demand(fault_in_note(tables_at - sizeof(PackNote), tables + sizeof header));
  const auto payload_at = elf.offset_of(header.payload_vaddr, header.payload_size);
  if (header.payload_size == 0 || !payload_at) demand("the payload is outside the file");
  demand(fault_in_layout(header, *header_at, *payload_at));

  view.aligned_.resize((tables + sizeof header + 7) / 8);
  std::memcpy(view.aligned_.data(), tables_at, tables + sizeof header);
  const auto* aligned_header = reinterpret_cast<const PackHeader*>(
      reinterpret_cast<const std::uint8_t*>(view.aligned_.data()) + tables);
  view.parts_ = stub::parts_of(aligned_header, file.data() + *payload_at);
  view.segments_ = copy_table(view.parts_.segments, header.segment_count);
  view.streams_ = copy_table(view.parts_.streams, header.stream_count);
  view.regions_ = copy_table(view.parts_.regions, header.region_count);
  demand(fault_in_segments(header, view.segments_));
  demand(fault_in_streams(header, view.segments_, view.streams_, file.size() - *payload_at));
  demand(fault_in_filling(view.segments_, view.streams_, view.regions_));
  demand(fault_in_regions(header, view.streams_, view.regions_));

  const std::uint64_t stub_at = *header_at + sizeof header;
  view.stub_ = file.subspan(stub_at, *payload_at - stub_at);
  std::uint64_t at = *payload_at;
  for (const PackStream& s : view.streams_) {
    view.packed_.push_back(file.subspan(at, s.packed_size));
    at += s.packed_size;
  }
  for (const PackSegment& s : view.segments_) {
    if (s.file_size != 0) view.filled_size_ = s.vaddr - header.image_vaddr + s.file_size;
  }
  return view;
}

std::uint64_t file_digest_of(ByteView file, std::uint64_t header_offset) {
  // Around the field: what is before it, then what follows, seeded with the digest of the former.
  const std::uint64_t field = header_offset + offsetof(PackHeader, file_digest);
  const ByteView behind = file.subspan(field + sizeof(PackHeader::file_digest));
  return stub::xxh64(behind.data(), behind.size(), stub::xxh64(file.data(), field, 0));
}

std::vector<FileRange> uncovered_ranges(const std::vector<PackSegment>& segments,
                                        std::uint64_t size) {
  std::vector<FileRange> covered;
  for (const PackSegment& s : segments) {
    if (s.file_size != 0) covered.push_back({s.file_offset, s.file_size});
  }
  std::sort(covered.begin(), covered.end(),
            [](const FileRange& a, const FileRange& b) { return a.offset < b.offset; });
  std::vector<FileRange> gaps;
  std::uint64_t at = 0;
  for (const FileRange& range : covered) {
    if (range.offset > at) gaps.push_back({at, range.offset - at});
    at = std::max(at, range.offset + range.size);
  }
  if (at < size) gaps.push_back({at, size - at});
  return gaps;
}

}  // namespace whittle::packer
