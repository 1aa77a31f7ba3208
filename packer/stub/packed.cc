// SPDX-License-Identifier: MIT
#include "packer/stub/packed.h"

#include "packer/stub/base/xxh64.h"

namespace whittle::stub {

using packer::PackHeader;
using packer::PackRegion;
using packer::PackSegment;
using packer::PackStream;

#if defined(WHITTLE_STUB)
constexpr bool kAligned = true;  // start.cc sees to that
#else
constexpr bool kAligned = false;  // files may be read to anywhere
#endif

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
  uint64_t digest = xxh64<kAligned>(tables, static_cast<size_t>(header - tables), 0);
  digest = xxh64<kAligned>(header + packer::kRunDigestFrom,
                           sizeof(PackHeader) - packer::kRunDigestFrom, digest);
  return xxh64<kAligned>(packed.payload, packed.header->payload_size, digest);
}

}  // namespace whittle::stub
