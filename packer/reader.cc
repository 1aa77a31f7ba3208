// SPDX-License-Identifier: MIT
#include "packer/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "common/error.h"
#include "packer/packer.h"
#include "packer/stub/stream_view.h"
#include "packer/stub/xxh64.h"
#include "packer/stubs.h"

namespace whittle::packer {
namespace {

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
  const auto corrupt = [&](std::string_view what) {
    return Error(ErrorKind::corrupt, path, fmt::format("packed header: {}", what), *header_at);
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
  if (header.machine != elf.header().machine)
    throw corrupt("machine differs from the ELF header's");
  const Machine* machine = find_machine(header.machine);
  if (machine == nullptr) throw corrupt("there are no packed programs for this machine");
  if (header.level != kLevelFast) throw corrupt(fmt::format("unknown level {}", header.level));
  if (header.segment_count == 0 || header.segment_count > kMaxSegments ||
      header.stream_count > kMaxTableEntries || header.region_count > kMaxTableEntries) {
    throw corrupt("absurd table counts");
  }
  const std::uint64_t tables = tables_size(header);
  if (tables + sizeof(PackNote) > *header_at) throw corrupt("tables lie outside the file");
  PackNote note;
  std::memcpy(&note, file.data() + *header_at - tables - sizeof note, sizeof note);
  if (note.name_size != sizeof note.name || note.type != kPackNoteType ||
      std::memcmp(note.name, kPackNoteName, sizeof note.name) != 0 ||
      note.descriptor_size != tables + sizeof header) {
    throw corrupt("no note of whittle's stands in front of the tables");
  }
  view.aligned_.resize((tables + sizeof header + 7) / 8);
  std::memcpy(view.aligned_.data(), file.data() + *header_at - tables, tables + sizeof header);
  const auto* aligned_header = reinterpret_cast<const PackHeader*>(
      reinterpret_cast<const std::uint8_t*>(view.aligned_.data()) + tables);

  const auto payload_at = elf.offset_of(header.payload_vaddr, header.payload_size);
  if (header.payload_size == 0 || !payload_at) throw corrupt("payload lies outside the file");
  view.parts_ = stub::parts_of(aligned_header, file.data() + *payload_at);
  view.segments_ = copy_table(view.parts_.segments, header.segment_count);
  view.streams_ = copy_table(view.parts_.streams, header.stream_count);
  view.regions_ = copy_table(view.parts_.regions, header.region_count);
  const std::uint64_t stub_at = *header_at + sizeof header;
  if (*payload_at < stub_at) throw corrupt("payload lies in front of the stub");
  view.stub_ = file.subspan(stub_at, *payload_at - stub_at);

  if (header.image_size > kMaxImageSize || header.image_vaddr > UINT64_MAX - header.image_size) {
    throw corrupt("image size beyond the limit");
  }
  if (header.original_size > kMaxFileSize ||
      header.original_size / kMaxExpansion > file.size() + (1 << 10)) {
    throw corrupt(fmt::format("original size {} beyond the limit", header.original_size));
  }
  std::uint64_t file_bytes = 0;
  for (const PackSegment& s : view.segments_) {
    if (s.vaddr < header.image_vaddr ||
        !in_bounds(s.vaddr - header.image_vaddr, s.memory_size, header.image_size) ||
        s.file_size > s.memory_size ||
        !in_bounds(s.file_offset, s.file_size, header.original_size)) {
      throw corrupt("a segment lies outside the image or the original file");
    }
    file_bytes += s.file_size;
  }
  std::uint64_t image_bytes = 0, rest_bytes = 0, part_bytes = 0, at = *payload_at;
  bool in_rest = false;
  for (const PackStream& s : view.streams_) {
    if (s.kind > kStreamPart) throw corrupt("unknown kind of stream");
    if (s.kind != kStreamRest && in_rest) throw corrupt("streams are out of order");
    if (s.kind == kStreamRest && !in_rest) {
      in_rest = true;
      if (at != *payload_at + header.payload_size) throw corrupt("streams do not fill the payload");
    }
    if (!in_bounds(at, s.packed_size, file.size())) throw corrupt("a stream lies outside the file");
    view.packed_.push_back(file.subspan(at, s.packed_size));
    at += s.packed_size;
    if (s.raw_size > kMaxFileSize) throw corrupt("a stream's size is beyond the limit");
    if (s.kind == kStreamRest) {
      rest_bytes += s.raw_size;
      continue;
    }
    if (s.kind == kStreamPart) {
      if (s.address != align_up(part_bytes, kPartAlignment))
        throw corrupt("parts are out of order");
      part_bytes = s.address + s.raw_size;
      if (part_bytes > kMaxFileSize) throw corrupt("parts are larger than the limit");
      continue;
    }
    if (s.address < header.image_vaddr ||
        !in_bounds(s.address - header.image_vaddr, s.raw_size, header.image_size)) {
      throw corrupt("a stream lies outside the image");
    }
    image_bytes += s.raw_size;
    view.filled_size_ = std::max(view.filled_size_, s.address - header.image_vaddr + s.raw_size);
  }
  if (!in_rest && at != *payload_at + header.payload_size) {
    throw corrupt("streams do not fill the payload");
  }
  // Segments may share file bytes, so the image can hold more than the file, but never more than
  // its segments.
  if (image_bytes > file_bytes || rest_bytes > header.original_size ||
      file_bytes > header.original_size * header.segment_count) {
    throw corrupt("stream sizes and segment sizes disagree");
  }
  for (const PackRegion& r : view.regions_) {
    if (r.transform != machine->transform) throw corrupt("unknown transform for this machine");
    if (r.first_part + r.part_count > header.stream_count || r.part_count > stub::kMaxParts) {
      throw corrupt("a region's parts do not exist");
    }
    if (r.address < header.image_vaddr ||
        !in_bounds(r.address - header.image_vaddr, r.size, view.filled_size_)) {
      throw corrupt("a region lies outside the filled image");
    }
  }
  if (at != file.size()) throw corrupt("the file does not end where its last stream does");
  return view;
}

std::uint64_t file_digest_of(ByteView file, std::uint64_t header_offset) {
  // Around the field: what is before it, then what is behind, seeded with the digest of the former.
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
