// SPDX-License-Identifier: MIT
//
// A stream by itself only says how it is coded. What it holds follows from where it goes: an image
// stream belongs to the segment that its address lies in, a part to the region that names it. A
// region without parts lies inside an image stream and says what that stream's bytes are.
#include "packer/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "common/bytes.h"
#include "packer/format.h"
#include "packer/plan.h"
#include "packer/streams.h"

namespace whittle::packer {
namespace {

std::string codec_name(std::uint32_t codec) {
  switch (codec) {
    case kCodecStored:
      return "stored";
    case kCodecZstd:
      return "zstd";
    case kCodecMix:
      return "mix";
    case kCodecQuick:
      return "quick";
  }
  return fmt::format("codec {}", codec);
}

std::string stream_name(std::uint32_t kind) {
  switch (kind) {
    case kStreamImage:
      return "image";
    case kStreamPart:
      return "part";
    case kStreamStub:
      return "stub";
  }
  return "rest";
}

std::string flags_text(std::uint32_t flags) {
  return {(flags & elf::kFlagRead) != 0 ? 'r' : '-', (flags & elf::kFlagWrite) != 0 ? 'w' : '-',
          (flags & elf::kFlagExecute) != 0 ? 'x' : '-'};
}

void describe_image(const PackedView& view, const PackStream& stream, StreamInfo& info) {
  for (const PackSegment& s : view.segments()) {
    if (stream.address >= s.vaddr && stream.address - s.vaddr < s.memory_size) {
      info.holds = "segment " + flags_text(s.flags);
    }
  }
  for (const PackRegion& r : view.regions()) {
    if (r.part_count == 0 && r.address >= stream.address &&
        r.address - stream.address < stream.raw_size) {
      info.transform = transform_name(r.transform);
    }
  }
}

void describe_part(const PackedView& view, std::size_t stream, StreamInfo& info) {
  for (const PackRegion& r : view.regions()) {
    if (stream < r.first_part || stream - r.first_part >= r.part_count) continue;
    info.holds = transform_name(r.transform);
    info.address = r.address;
    info.part = static_cast<std::uint32_t>(stream - r.first_part + 1);
    info.part_count = r.part_count;
    info.region_size = r.size;
  }
}

}  // namespace

std::string transform_name(std::uint32_t transform) {
  switch (transform) {
    case kTransformX86:
      return "x86-64 code";
    case kTransformAarch64:
      return "aarch64 code";
    case kTransformRiscv64:
      return "riscv64 code";
    case kTransformGoTable:
      return "Go function table";
    case kTransformEhFrame:
      return "unwind table";
    case kTransformExceptionTables:
      return "exception tables";
    case kTransformRelocations:
      return "relocations";
  }
  return fmt::format("transform {}", transform);
}

std::vector<StreamInfo> describe_streams(const PackedView& view) {
  std::vector<StreamInfo> streams;
  for (std::size_t i = 0; i < view.streams().size(); i++) {
    const PackStream& stream = view.streams()[i];
    StreamInfo& info = streams.emplace_back();
    info.name = stream_name(stream.kind);
    info.address = stream.address;
    info.raw_size = stream.raw_size;
    info.packed_size = stream.packed_size;
    info.codec = codec_name(stream.codec);
    if (stream.kind == kStreamImage) {
      describe_image(view, stream, info);
    } else if (stream.kind == kStreamPart) {
      describe_part(view, i, info);
    } else if (stream.kind == kStreamStub) {
      info.holds = "late code of the stub";
    } else {
      info.holds = "outside the segments";
    }
  }
  return streams;
}

std::vector<PlainTable> plain_tables(ByteView file, std::string_view path) {
  const PackedView view = PackedView::read(file, path);
  const Bytes original = unpack(file, path);
  const elf::File elf = elf::File::parse(original, path);
  const auto plan = packer::plan(elf);
  if (const auto* refusal = std::get_if<Refusal>(&plan)) {
    // An earlier version took what this one refuses.
    return {{.what = "tables", .why = "this version refuses the original: " + refusal->reason}};
  }
  std::vector<UnsplitTable> splittable;
  std::vector<UnsplitTable> unsplit =
      find_unsplit_tables(elf, std::get<PackPlan>(plan), splittable);
  for (UnsplitTable& table : splittable) {
    const bool is_split = std::any_of(
        view.regions().begin(), view.regions().end(),
        [&](const PackRegion& r) { return r.part_count != 0 && r.address == table.range.address; });
    if (is_split) continue;
    table.why = "the version that packed the file could not split it; this one can";
    unsplit.push_back(std::move(table));
  }
  std::vector<PlainTable> tables;
  for (UnsplitTable& table : unsplit) {
    tables.push_back({.what = transform_name(table.transform),
                      .address = table.range.address,
                      .size = table.range.size,
                      .why = std::move(table.why)});
  }
  std::stable_sort(tables.begin(), tables.end(),
                   [](const auto& a, const auto& b) { return a.address < b.address; });
  return tables;
}

}  // namespace whittle::packer
