// SPDX-License-Identifier: MIT
#include "packer/stub/expand.h"

#include "packer/stub/aarch64_code.h"
#include "packer/stub/riscv64_code.h"
#include "packer/stub/x86_code.h"
#include "packer/stub/xxh64.h"

namespace whittle::stub {
namespace {

using packer::PackHeader;
using packer::PackRegion;
using packer::PackSegment;
using packer::PackStream;

inline bool in_range(uint64_t offset, uint64_t length, uint64_t size) {
  return offset <= size && length <= size - offset;
}

// A stub knows the code of its own machine, whittle that of every machine. False where the
// transform is unknown. Comparisons and not a table, because a table of addresses needs relocating.
bool undo_transform(uint32_t transform, uint8_t* code, size_t size, uint64_t address) {
#if !defined(WHITTLE_STUB) || defined(__x86_64__)
  if (transform == packer::kTransformX86) {
    x86_to_relative(code, size, address);
    return true;
  }
#endif
#if !defined(WHITTLE_STUB) || defined(__aarch64__)
  if (transform == packer::kTransformAarch64) {
    aarch64_to_relative(code, size, address);
    return true;
  }
#endif
#if !defined(WHITTLE_STUB) || defined(__riscv)
  if (transform == packer::kTransformRiscv64) {
    riscv64_to_relative(code, size, address);
    return true;
  }
#endif
  return false;
}

}  // namespace

Packed parts_of(const PackHeader* header, const uint8_t* payload) {
  const auto* tables = reinterpret_cast<const uint8_t*>(header) - packer::tables_size(*header);
  Packed packed;
  packed.header = header;
  packed.segments = reinterpret_cast<const PackSegment*>(tables);
  packed.streams = reinterpret_cast<const PackStream*>(packed.segments + header->segment_count);
  packed.regions = reinterpret_cast<const PackRegion*>(packed.streams + header->stream_count);
  packed.payload = payload;
  return packed;
}

uint64_t run_digest_of(const Packed& packed) {
  const auto* header = reinterpret_cast<const uint8_t*>(packed.header);
  const auto* tables = reinterpret_cast<const uint8_t*>(packed.segments);
  uint64_t digest = xxh64(tables, static_cast<size_t>(header - tables), 0);
  digest =
      xxh64(header + packer::kRunDigestFrom, sizeof(PackHeader) - packer::kRunDigestFrom, digest);
  return xxh64(packed.payload, packed.header->payload_size, digest);
}

ExpandStatus decode_stream(const PackStream& stream, const uint8_t* packed, uint8_t* raw,
                           ZstdWorkspace& workspace) {
  if (stream.codec == packer::kCodecZstd) {
    const ZstdStatus status =
        zstd_decode(packed, stream.packed_size, raw, stream.raw_size, workspace);
    return status == ZstdStatus::ok ? ExpandStatus::ok : ExpandStatus::bad_stream;
  }
  if (stream.codec != packer::kCodecStored || stream.packed_size != stream.raw_size) {
    return ExpandStatus::bad_stream;
  }
  __builtin_memcpy(raw, packed, stream.raw_size);
  return ExpandStatus::ok;
}

ExpandStatus expand(const Packed& packed, uint8_t* image, size_t image_size,
                    ZstdWorkspace& workspace) {
  const PackHeader& header = *packed.header;
  uint64_t at = 0;  // in the payload
  for (uint32_t i = 0; i < header.stream_count; i++) {
    const PackStream& stream = packed.streams[i];
    if (stream.kind != packer::kStreamImage) continue;
    const uint64_t offset = stream.address - header.image_vaddr;
    if (!in_range(offset, stream.raw_size, image_size) ||
        !in_range(at, stream.packed_size, header.payload_size)) {
      return ExpandStatus::bad_table;
    }
    const ExpandStatus status =
        decode_stream(stream, packed.payload + at, image + offset, workspace);
    if (status != ExpandStatus::ok) return status;
    at += stream.packed_size;
  }
  for (uint32_t i = 0; i < header.region_count; i++) {
    const PackRegion& region = packed.regions[i];
    const uint64_t offset = region.address - header.image_vaddr;
    if (!in_range(offset, region.size, image_size)) return ExpandStatus::bad_table;
    if (!undo_transform(region.transform, image + offset, region.size, offset)) {
      return ExpandStatus::bad_table;
    }
  }
  return ExpandStatus::ok;
}

}  // namespace whittle::stub
