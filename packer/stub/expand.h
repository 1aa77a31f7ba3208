// SPDX-License-Identifier: MIT
//
// From payload to memory image: decode every stream to its place, then undo the transforms there.
// The stub runs this at every start and the unpacker runs the same code to take a file apart, so
// what a test or a fuzzer exercises is what ships.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/format.h"
#include "packer/stub/zstd_decoder.h"

namespace whittle::stub {

// The parts of a packed file, found by whoever holds it.
struct Packed {
  const packer::PackHeader* header;
  const packer::PackSegment* segments;
  const packer::PackStream* streams;
  const packer::PackRegion* regions;
  const uint8_t* payload;  // header->payload_size bytes
};

// The parts of which `header` is one: the tables stand directly in front of it.
Packed parts_of(const packer::PackHeader* header, const uint8_t* payload);

// XXH64 of all that `expand` and the loader read: the tables, the header from `header_vaddr` on,
// and the payload, each seeded with the digest of the one before.
uint64_t run_digest_of(const Packed& packed);

enum class ExpandStatus : int {
  ok,
  bad_table,   // a stream or region lies outside the image or the payload
  bad_stream,  // a stream does not decode to its raw size
};

// Decodes one stream of any kind.
ExpandStatus decode_stream(const packer::PackStream& stream, const uint8_t* packed, uint8_t* raw,
                           ZstdWorkspace& workspace);

// Fills the image. image[0] is the byte at header->image_vaddr; `image_size` bytes are writable and
// zero, which may be fewer than header->image_size as long as the streams end before.
ExpandStatus expand(const Packed& packed, uint8_t* image, size_t image_size,
                    ZstdWorkspace& workspace);

}  // namespace whittle::stub
