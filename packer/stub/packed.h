// SPDX-License-Identifier: MIT
//
// A packed file in memory, and the digest of what is read of it at run time.
#pragma once

#include <stdint.h>

#include "packer/format.h"

namespace whittle::stub {

// The parts of a packed file, found by whoever holds it.
struct Packed {
  const packer::PackHeader* header;
  const packer::PackSegment* segments;
  const packer::PackStream* streams;
  const packer::PackRegion* regions;
  const uint8_t* payload;  // header->payload_size bytes
};

// The parts of which `header` is one: the tables stand directly before it.
Packed parts_of(const packer::PackHeader* header, const uint8_t* payload);

// XXH64 of all that `expand` and the loader read: the tables, the header from `version` on,
// and the payload, each seeded with the digest of the one before.
uint64_t run_digest_of(const Packed& packed);

}  // namespace whittle::stub
