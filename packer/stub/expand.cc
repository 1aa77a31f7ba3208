// SPDX-License-Identifier: MIT
#include "packer/stub/expand.h"

#include "packer/stub/base/system.h"
#include "packer/stub/transforms/aarch64_code.h"
#include "packer/stub/transforms/eh_frame.h"
#include "packer/stub/transforms/exception_tables.h"
#include "packer/stub/transforms/go_tables.h"
#include "packer/stub/transforms/relocations.h"
#include "packer/stub/transforms/riscv64_code.h"
#include "packer/stub/transforms/stream_view.h"

namespace whittle::stub {
namespace {

using packer::PackHeader;
using packer::PackRegion;
using packer::PackStream;

inline bool in_range(uint64_t offset, uint64_t length, uint64_t size) {
  return offset <= size && length <= size - offset;
}

uint64_t align_up(uint64_t size) {
  return (size + packer::kPartAlignment - 1) & ~(packer::kPartAlignment - 1);
}

uint32_t take(uint32_t& next) { return __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED); }

bool all_well(const Expansion& expansion) {
  ExpandStatus status;
  __atomic_load(&expansion.status, &status, __ATOMIC_RELAXED);
  return status == ExpandStatus::ok;
}

// Keeps one failure: the first, unless two come at once. Success must not take its place.
void record(Expansion& expansion, ExpandStatus status) {
  if (status != ExpandStatus::ok && all_well(expansion)) {
    __atomic_store(&expansion.status, &status, __ATOMIC_RELAXED);
  }
}

void announce(Expansion& expansion, uint8_t& flag) {
  __atomic_store_n(&flag, 1, __ATOMIC_RELEASE);
  __atomic_fetch_add(&expansion.finished, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&expansion.waiting, __ATOMIC_SEQ_CST) != 0) wake_waiters(expansion.finished);
}

void wait_for(Expansion& expansion, const uint8_t& flag) {
  for (;;) {
    const uint32_t seen = __atomic_load_n(&expansion.finished, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&flag, __ATOMIC_ACQUIRE) != 0) return;
    __atomic_fetch_add(&expansion.waiting, 1, __ATOMIC_SEQ_CST);
    wait_while(expansion.finished, seen);
    __atomic_fetch_sub(&expansion.waiting, 1, __ATOMIC_SEQ_CST);
  }
}

// Offset of a stream's bytes in the payload.
uint64_t payload_offset(const Packed& packed, uint32_t index) {
  uint64_t at = 0;
  for (uint32_t i = 0; i < index; i++) {
    if (packed.streams[i].kind != packer::kStreamRest) at += packed.streams[i].packed_size;
  }
  return at;
}

// Offset of a region's work memory in the scratch memory.
uint64_t work_offset(const Packed& packed, uint32_t region) {
  uint64_t at = 0;
  for (uint32_t i = 0; i < packed.header->stream_count; i++) {
    const PackStream& stream = packed.streams[i];
    const uint64_t end = align_up(stream.address + stream.raw_size);
    if (stream.kind == packer::kStreamPart && end > at) at = end;
  }
  for (uint32_t i = 0; i < region; i++) at += packer::work_size(packed.regions[i]);
  return at;
}

ExpandStatus expand_stream(Expansion& expansion, uint32_t index, Workspace& workspace) {
  const Packed& packed = expansion.packed;
  const PackStream& stream = packed.streams[index];
  const uint64_t at = payload_offset(packed, index);
  const bool is_part = stream.kind == packer::kStreamPart;
  const uint64_t offset = stream.address - (is_part ? 0 : packed.header->image_vaddr);
  if (!in_range(at, stream.packed_size, packed.header->payload_size) ||
      !in_range(offset, stream.raw_size, is_part ? expansion.scratch_size : expansion.image_size)) {
    return ExpandStatus::bad_table;
  }
  uint8_t* raw = (is_part ? expansion.scratch : expansion.image) + offset;
  const uint8_t* bytes = packed.payload + at;
  const ExpandStatus status = decode_stream(stream, bytes, raw, workspace);
  if (!is_part) release_memory(bytes, bytes + stream.packed_size);
  return status;
}

ExpandStatus expand_region(Expansion& expansion, uint32_t index, Workspace& workspace) {
  const Packed& packed = expansion.packed;
  const PackRegion& region = packed.regions[index];
  const uint64_t work = work_offset(packed, index);
  const uint64_t offset = region.address - packed.header->image_vaddr;
  if (!in_range(offset, region.size, expansion.image_size) ||
      !in_range(work, packer::work_size(region), expansion.scratch_size) ||
      region.part_count > kMaxParts) {
    return ExpandStatus::bad_table;
  }
  StreamView parts[kMaxParts];
  if (region.part_count == 0) {
    for (uint32_t i = 0; i < packed.header->stream_count; i++) {
      const PackStream& stream = packed.streams[i];
      if (stream.kind == packer::kStreamImage &&
          region.address - stream.address < stream.raw_size) {
        wait_for(expansion, expansion.is_finished[i]);
      }
    }
  }
  for (uint32_t i = 0; i < region.part_count; i++) {
    const PackStream& stream = packed.streams[region.first_part + i];
    wait_for(expansion, expansion.is_finished[region.first_part + i]);
    if (stream.kind != packer::kStreamPart ||
        !in_range(stream.address, stream.raw_size, expansion.scratch_size)) {
      return ExpandStatus::bad_table;
    }
    parts[i] = {expansion.scratch + stream.address, stream.raw_size};
  }
  // A stream that failed left anything behind; nothing good comes of it.
  if (!all_well(expansion)) return ExpandStatus::bad_stream;
  if (region.part_count != 0) {  // all at once: each alone may be too small to give anything back
    release_memory(packed.payload + payload_offset(packed, region.first_part),
                   packed.payload + payload_offset(packed, region.first_part + region.part_count));
  }
  if (!undo_transform(region, parts, expansion.scratch + work, expansion.image + offset, offset,
                      workspace)) {
    return ExpandStatus::bad_region;
  }
  if (region.part_count != 0) {
    const StreamView& last = parts[region.part_count - 1];
    release_memory(parts[0].data, last.data + last.size);
    release_memory(expansion.scratch + work, expansion.scratch + work + packer::work_size(region));
  }
  return ExpandStatus::ok;
}

// The stream after a region's last part; 0 for a region in place.
uint32_t end_of_parts(const PackRegion& region) {
  return region.part_count == 0 ? 0 : uint32_t{region.first_part} + region.part_count;
}

// Makes the regions of which this stream is the last part.
void expand_regions_behind(Expansion& expansion, uint32_t stream, Workspace& workspace) {
  for (uint32_t i = 0; i < expansion.packed.header->region_count; i++) {
    if (end_of_parts(expansion.packed.regions[i]) != stream + 1) continue;
    record(expansion, expand_region(expansion, i, workspace));
    announce(expansion, expansion.is_made[i]);
  }
}

// Waits for the regions whose parts stand before this stream. All of these have been taken.
void wait_for_regions_before(Expansion& expansion, uint32_t stream) {
  for (uint32_t i = 0; i < expansion.packed.header->region_count; i++) {
    const uint32_t end = end_of_parts(expansion.packed.regions[i]);
    if (end != 0 && end <= stream) wait_for(expansion, expansion.is_made[i]);
  }
}

}  // namespace

// A stub knows the code of its own machine, whittle that of every machine. Comparisons and not a
// table, because a table of addresses needs relocating.
bool undo_transform(const PackRegion& region, const StreamView* parts, uint8_t* work,
                    uint8_t* bytes, uint64_t address, Workspace& workspace) {
#if defined(WHITTLE_WITH_X86)
  if (region.transform == packer::kTransformX86) {
    x86_to_relative(bytes, region.size, address, workspace.x86);
    return true;
  }
#endif
#if defined(WHITTLE_WITH_AARCH64)
  if (region.transform == packer::kTransformAarch64) {
    aarch64_to_relative(bytes, region.size, address);
    return true;
  }
#endif
#if defined(WHITTLE_WITH_RISCV64)
  if (region.transform == packer::kTransformRiscv64) {
    riscv64_to_relative(bytes, region.size, address);
    return true;
  }
#endif
#if defined(WHITTLE_WITH_DATA)
  if (region.transform == packer::kTransformEhFrame) {
    return join_eh_frame(parts, region.part_count, bytes, region.size);
  }
  if (region.transform == packer::kTransformExceptionTables) {
    return join_exception_tables(parts, region.part_count, bytes, region.size);
  }
  if (region.transform == packer::kTransformRelocations) {
    return join_relocations(parts, region.part_count, bytes, region.size);
  }
#endif
#if defined(WHITTLE_WITH_GO)
  if (region.transform == packer::kTransformGoTable) {
    return join_go_table(parts, region.part_count, bytes, region.size, work,
                         packer::work_size(region));
  }
#endif
  (void)parts, (void)work, (void)workspace;
  return false;
}

ExpandStatus decode_stream(const PackStream& stream, const uint8_t* packed, uint8_t* raw,
                           Workspace& workspace) {
#if defined(WHITTLE_WITH_ZSTD)
  if (stream.codec == packer::kCodecZstd) {
    const ZstdStatus status =
        zstd_decode(packed, stream.packed_size, raw, stream.raw_size, workspace.zstd);
    return status == ZstdStatus::ok ? ExpandStatus::ok : ExpandStatus::bad_stream;
  }
#endif
#if defined(WHITTLE_WITH_MIX)
  if (stream.codec == packer::kCodecMix) {
    const MixStatus status =
        mix_decode(packed, stream.packed_size, raw, stream.raw_size, workspace.mix);
    return status == MixStatus::ok ? ExpandStatus::ok : ExpandStatus::bad_stream;
  }
#endif
#if defined(WHITTLE_WITH_QUICK)
  if (stream.codec == packer::kCodecQuick) {
    const bool is_whole =
        quick_decode(packed, stream.packed_size, raw, stream.raw_size, workspace.quick);
    return is_whole ? ExpandStatus::ok : ExpandStatus::bad_stream;
  }
#endif
  if (stream.codec != packer::kCodecStored || stream.packed_size != stream.raw_size) {
    return ExpandStatus::bad_stream;
  }
  __builtin_memcpy(raw, packed, stream.raw_size);
  return ExpandStatus::ok;
}

uint64_t scratch_size_of(const Packed& packed) {
  return work_offset(packed, packed.header->region_count);
}

void expand(Expansion& expansion, Workspace& workspace) {
  const PackHeader& header = *expansion.packed.header;
  for (uint32_t i; (i = take(expansion.next_stream)) < header.stream_count;) {
    const uint32_t kind = expansion.packed.streams[i].kind;
    if (i >= header.first_held && kind == packer::kStreamImage) {
      wait_for_regions_before(expansion, i);
    }
    if (kind == packer::kStreamImage || kind == packer::kStreamPart) {
      record(expansion, expand_stream(expansion, i, workspace));
    }
    announce(expansion, expansion.is_finished[i]);
    expand_regions_behind(expansion, i, workspace);
  }
  for (uint32_t i; (i = take(expansion.next_region)) < header.region_count;) {
    if (expansion.packed.regions[i].part_count == 0)
      record(expansion, expand_region(expansion, i, workspace));
  }
}

}  // namespace whittle::stub
