// SPDX-License-Identifier: MIT
//
// From payload to memory image: decode every stream to its place, then undo the transforms there.
// The stub runs this at every start and the unpacker runs the same code to take a file apart, so
// what a test or a fuzzer exercises is what ships.
//
// Streams do not depend on one another, and a region depends on the streams that its bytes come
// from and on no other region. So any number of workers can share the work: each takes the next
// stream in the order of the tables until there is none left, then the next region, for whose
// streams it waits where another worker still decodes them. Whoever writes the file has put what
// takes longest in front. One worker alone never waits.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/format.h"
#include "packer/stub/stream_view.h"
#include "packer/stub/x86_code.h"
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

enum class ExpandStatus : uint32_t {
  ok,
  bad_table,   // a stream or region lies outside the image, the payload or the scratch memory
  bad_stream,  // a stream does not decode to its raw size
  bad_region,  // the parts of a region do not make its bytes
};

// Memory that decoders and inverse transforms work in. Any contents; one worker's at a time.
union Workspace {
  ZstdWorkspace zstd;
  X86Workspace x86;
};

// Bytes of scratch memory that the part streams decode to.
uint64_t scratch_size_of(const Packed& packed);

// One expansion, shared by its workers. To be set up: `packed`, `image` (image[0] is the byte at
// header->image_vaddr; `image_size` bytes are writable and zero, which may be fewer than
// header->image_size as long as the streams end before) and `scratch` (scratch_size_of bytes). All
// else begins as zero.
struct Expansion {
  Packed packed;
  uint8_t* image;
  uint64_t image_size;
  uint8_t* scratch;
  uint64_t scratch_size;

  uint32_t next_stream, next_region;  // to be taken
  uint32_t finished;                  // streams so far; what workers wait for to change
  uint32_t waiting;                   // workers that wait
  ExpandStatus status;                // of the first failure
  uint8_t is_finished[packer::kMaxTableEntries];
};

// Decodes one stream of any kind.
ExpandStatus decode_stream(const packer::PackStream& stream, const uint8_t* packed, uint8_t* raw,
                           Workspace& workspace);

// Undoes a region's transform. `address` is that of code[0], counted from the start of the image.
// False where the transform is unknown here or the parts do not make the region.
bool undo_transform(uint32_t transform, const StreamView* parts, size_t part_count, uint8_t* code,
                    size_t size, uint64_t address, Workspace& workspace);

// Does one worker's share. When every worker has returned, the image is complete if `status` is ok.
void expand(Expansion& expansion, Workspace& workspace);

}  // namespace whittle::stub
