// SPDX-License-Identifier: MIT
#include "packer/stub/transforms/relocations.h"

#include "packer/stub/base/load_store.h"
#include "packer/stub/transforms/source.h"

namespace whittle::stub {
namespace {

constexpr size_t kEntry = 24;

}  // namespace

bool join_relocations(const StreamView* streams, size_t count, uint8_t* out, size_t size) {
  if (count != kRelaStreams || size % kEntry != 0) return false;
  if (streams[kRelaAddends].size != size / kEntry * 4) return false;
  Source where(streams[kRelaWhere]);
  const uint8_t* addend = streams[kRelaAddends].data;
  uint64_t offset = 0;
  for (uint8_t* const end = out + size; out != end; out += kEntry, addend += 4) {
    offset += where.signed_number();
    const uint32_t low = uint32_t{addend[0]} << 24 | uint32_t{addend[1]} << 16 |
                         uint32_t{addend[2]} << 8 | addend[3];
    store64_aligned(out, offset);
    store64_aligned(out + 8, where.number());
    store64_aligned(out + 16, static_cast<uint64_t>(int64_t{static_cast<int32_t>(low)}));
  }
  return where.exhausted();
}

}  // namespace whittle::stub
