// SPDX-License-Identifier: MIT
//
// From payload to memory image: decode every stream to its place, then undo the transforms there.
// The stub runs this at every start and the unpacker runs the same code to take a file apart, so
// what a test or a fuzzer exercises is what ships.
//
// Streams do not depend on one another, and a region depends on the streams that its bytes come
// from and on no other region. So any number of workers can share the work. Each takes the next
// stream in the order of the tables; whoever takes the last part of a region makes the region, too,
// and gives the memory of its parts back; held image streams (PackHeader) begin when that is done,
// so that there is never much more in memory than the image. When all streams are taken, each takes
// the next region that is transformed in place. If another worker is still decoding what it needs,
// it waits. Everything it can wait for has already been taken by another worker, so there is no
// deadlock, and a single worker never waits. The writer of the file puts what takes longest first.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/format.h"
#include "packer/stub/codecs/mix_decoder.h"
#include "packer/stub/codecs/quick_decoder.h"
#include "packer/stub/codecs/zstd_decoder.h"
#include "packer/stub/packed.h"
#include "packer/stub/transforms/stream_view.h"
#include "packer/stub/transforms/x86_code.h"

// A stub is built with what its variant can do (packer/CMakeLists.txt); whittle itself with all.
#if !defined(WHITTLE_STUB)
#define WHITTLE_WITH_ZSTD
#define WHITTLE_WITH_MIX
#define WHITTLE_WITH_QUICK
#define WHITTLE_WITH_GO
#define WHITTLE_WITH_DATA
#define WHITTLE_WITH_X86
#define WHITTLE_WITH_AARCH64
#define WHITTLE_WITH_RISCV64
#endif

namespace whittle::stub {

enum class ExpandStatus : uint32_t {
  ok,
  bad_table,   // a stream or region lies outside the image, the payload or the scratch memory
  bad_stream,  // a stream does not decode to its raw size
  bad_region,  // the parts of a region do not make its bytes
};

// Memory that a decoder works in. Any contents; one worker's at a time.
union Workspace {
#if defined(WHITTLE_WITH_ZSTD)
  ZstdWorkspace zstd;
#endif
#if defined(WHITTLE_WITH_MIX)
  MixWorkspace mix;
#endif
#if defined(WHITTLE_WITH_QUICK)
  QuickWorkspace quick;
#endif
#if defined(WHITTLE_WITH_X86)
  X86Workspace x86;
#endif
};

// Bytes of scratch memory: what the part streams decode to, and after it work_size for each
// region.
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
  uint32_t finished;                  // streams and regions so far; what workers wait for to change
  uint32_t waiting;                   // workers that wait
  ExpandStatus status;                // of the first failure, or of another one that came at once
  uint8_t is_finished[packer::kMaxTableEntries];
  uint8_t is_made[packer::kMaxTableEntries];  // of regions from parts
};

// Decodes one stream of any kind.
ExpandStatus decode_stream(const packer::PackStream& stream, const uint8_t* packed, uint8_t* raw,
                           Workspace& workspace);

// Undoes the transform of a region, whose bytes are bytes[0, region.size), `address` that of the
// first, counted from the start of the image. `work` has work_size(region) bytes. False where the
// transform is unknown here or the parts do not make the region.
bool undo_transform(const packer::PackRegion& region, const StreamView* parts, uint8_t* work,
                    uint8_t* bytes, uint64_t address, Workspace& workspace);

// Does one worker's share. When every worker has returned, the image is complete if `status` is ok.
void expand(Expansion& expansion, Workspace& workspace);

}  // namespace whittle::stub
