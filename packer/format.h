// SPDX-License-Identifier: MIT
//
// The layout of a packed file, in its one definition: the packer, the unpacker and the run-time
// stub all include this header and nothing else describes the bytes. packer/FORMAT.md explains it
// for people; a test holds the two together.
//
//     ELF header, program headers      an ordinary executable
//     what tools read                  module lists with their section headers; not in every file
//     notes                            the original's, then PackNote, whose descriptor follows:
//     tables                           PackSegment[], PackStream[], PackRegion[]
//     PackHeader                       ends where the stub begins
//     stub                             e_entry is its first byte
//     payload                          all other streams, back to back; mapped, read-only
//     rest streams                     file bytes that no segment maps; not mapped
//
// All integers are little-endian, all structures naturally aligned, addresses are link-time virtual
// addresses. The stub finds the header before itself and needs no symbol, relocation or file.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace whittle::packer {

inline constexpr uint8_t kPackMagic[8] = {0x7f, 'W', 'h', 'i', 't', 't', 'l', 'e'};
inline constexpr uint16_t kFormatVersion = 1;

enum : uint32_t { kLevelFast = 1, kLevelSmall = 2 };

enum : uint32_t {
  kStreamImage = 0,  // decodes to memory at `address`
  kStreamRest = 1,   // bytes of the original file outside every PT_LOAD, in file order
  kStreamPart = 2,   // decodes to scratch memory; a region's transform makes its bytes from it
  kStreamStub =
      3,  // code of the stub's own (stub/start/late.h); by codec mix; the first stream or none
};
enum : uint32_t {
  kCodecStored = 0,  // packed bytes are the raw bytes
  kCodecZstd = 1,    // one frame as RFC 8878 defines it, no dictionary
  kCodecMix = 2,     // stub/codecs/mix_decoder.h
  kCodecQuick = 3,   // stub/codecs/quick_decoder.h
};
enum : uint32_t {         // first, operands made absolute; each for code of one machine alone
  kTransformX86 = 1,      // stub/transforms/x86_code.h
  kTransformAarch64 = 2,  // stub/transforms/aarch64_code.h
  kTransformRiscv64 = 3,  // stub/transforms/riscv64_code.h
  kTransformLastCode = kTransformRiscv64,
  // From parts:
  kTransformGoTable = 4,          // stub/transforms/go_tables.h
  kTransformEhFrame = 5,          // stub/transforms/eh_frame.h
  kTransformExceptionTables = 6,  // stub/transforms/exception_tables.h
  kTransformRelocations = 7,      // stub/transforms/relocations.h
  kTransformLast = kTransformRelocations,
};

// The head of the ELF note whose descriptor is the tables and PackHeader, so that any reader of
// notes finds them.
struct PackNote {
  uint32_t name_size;        // 8
  uint32_t descriptor_size;  // bytes of the tables and of PackHeader
  uint32_t type;             // kPackNoteType
  char name[8];              // "WHITTLE"
};
static_assert(sizeof(PackNote) == 20);
inline constexpr char kPackNoteName[8] = "WHITTLE";
inline constexpr uint32_t kPackNoteType = 0x5748;  // "HW" in the file

// On aarch64: indirect branches in this code end at landing pads (PROT_BTI).
inline constexpr uint32_t kGuardBti = 0x10;

// One PT_LOAD of the original, in its order.
struct PackSegment {
  uint64_t vaddr;        // p_vaddr
  uint64_t memory_size;  // p_memsz
  uint64_t file_size;    // p_filesz
  uint64_t file_offset;  // p_offset
  uint32_t flags;        // p_flags: 1 execute, 2 write, 4 read
  uint32_t guard;        // what its protection has beside them: kGuard…
};
static_assert(sizeof(PackSegment) == 40);

struct PackStream {
  uint64_t address;      // where the raw bytes belong: an address of the image (kStreamImage); an
                         // offset in the scratch memory (kStreamPart); 0 (others)
  uint64_t raw_size;     // bytes after decoding
  uint64_t packed_size;  // bytes in this file
  uint32_t kind;         // kStream…; rest streams come last
  uint32_t codec;        // kCodec…
};
static_assert(sizeof(PackStream) == 32);

// A range of the decoded image whose transform is to be inverted: in place, or from parts, whose
// streams decode to scratch memory.
struct PackRegion {
  uint64_t address;
  uint64_t size;        // bytes
  uint32_t transform;   // kTransform…
  uint16_t first_part;  // index of a stream; its parts are that and those after it
  uint16_t part_count;  // 0: in place
};
static_assert(sizeof(PackRegion) == 24);

// What a region's address is a multiple of, counted from the image's first page: the words of what
// its transform knows.
inline constexpr uint64_t alignment_of(uint32_t transform) {
  return transform == kTransformRelocations                                 ? 8
         : transform == kTransformGoTable || transform == kTransformEhFrame ? 4
         : transform == kTransformRiscv64                                   ? 2
                                                                            : 1;
}

struct PackHeader {
  uint8_t magic[8];        // kPackMagic
  uint64_t file_digest;    // XXH64 of the file after this field, seeded with that of the file
                           // before it
  uint64_t run_digest;     // XXH64 of what the stub reads; see `run_digest_of`
  uint16_t version;        // kFormatVersion
  uint16_t machine;        // e_machine
  uint16_t level;          // kLevel…
  uint16_t first_held;     // index of a stream: the image streams from there on are decoded when
                           // the regions whose parts stand before them have been made
  uint64_t header_vaddr;   // of this structure: run-time address - this = load bias
  uint64_t image_vaddr;    // first page of the original's memory image
  uint64_t image_size;     // bytes, whole pages
  uint64_t entry;          // original e_entry
  uint64_t phdr_vaddr;     // where the original program headers stand in the image
  uint64_t escape_vaddr;   // kEscapeSize unused bytes in an executable segment, 0: none
  uint64_t stub_vaddr;     // first page of the mapping that holds header and stub; there
                           // stands file offset 0
  uint64_t stub_size;      // bytes from there to the stub's end
  uint64_t payload_vaddr;  // first byte of the first stream
  uint64_t payload_size;   // bytes of all streams but the rest
  uint16_t phnum;          // original e_phnum
  uint16_t segment_count;  // PackSegment entries, directly followed by
  uint16_t stream_count;   // PackStream entries, directly followed by
  uint16_t region_count;   // PackRegion entries, directly followed by this header
  uint64_t original_size;  // bytes of the original file
  uint64_t source_size;    // bytes of the file before it was stripped for packing
  uint8_t original_sha256[32];  // of the original file
  uint8_t source_sha256[32];    // of the file before it was stripped; equal where it was not
  uint8_t packer_version[16];   // ASCII, zero padded
};
static_assert(sizeof(PackHeader) == 216);
static_assert(offsetof(PackHeader, file_digest) == 8);
static_assert(offsetof(PackHeader, run_digest) == 16);
static_assert(offsetof(PackHeader, version) == 24);
static_assert(offsetof(PackHeader, header_vaddr) == 32);
static_assert(offsetof(PackHeader, phnum) == 112);
static_assert(offsetof(PackHeader, original_sha256) == 136);
static_assert(offsetof(PackHeader, packer_version) == 200);

inline constexpr size_t kRunDigestFrom = offsetof(PackHeader, version);

inline constexpr uint64_t tables_size(const PackHeader& header) {
  return header.segment_count * sizeof(PackSegment) + header.stream_count * sizeof(PackStream) +
         header.region_count * sizeof(PackRegion);
}

// Working memory of a region's transform, in bytes. Joining Go's tables takes what
// stub::go_table_scratch says: hash tables of 128 KiB, 48 bytes for a node of the largest inlining
// tree, of which the other 64 KiB hold 1,365, and 12 for each value that is referred to, for which
// there is half the region's size. A table that would need more stays as it is.
inline constexpr uint64_t kGoTableRoom = 192 << 10;
inline constexpr uint64_t work_size(uint32_t transform, uint64_t region_size) {
  return transform == kTransformGoTable ? (region_size / 2 + kGoTableRoom) & ~uint64_t{15} : 0;
}
inline constexpr uint64_t work_size(const PackRegion& region) {
  return work_size(region.transform, region.size);
}

// Limits that writer and readers share.
inline constexpr uint64_t kMaxFileSize = uint64_t{2} << 30;    // original file; all raw bytes
inline constexpr uint64_t kMaxImageSize = uint64_t{16} << 30;  // address range of the image
inline constexpr uint64_t kMaxExpansion = 1024;                // original bytes per packed byte
inline constexpr uint32_t kMaxSegments = 64;
inline constexpr uint32_t kMaxTableEntries = 1024;  // streams; regions
inline constexpr uint64_t kPartAlignment = 16;      // of a part stream in the scratch memory

// Room for the last instructions of the stub, which unmap it from inside the image.
inline constexpr uint64_t kEscapeSize = 32;

// Exit statuses of a packed program that could not start. The shell's own (126, 127, 128 + signal)
// are left alone.
enum StubExit : int {
  kExitDamaged = 121,    // a digest differs or a stream does not decode
  kExitNoMemory = 122,   // the system gave no memory
  kExitForbidden = 123,  // the system forbids making memory executable, in any way
};

}  // namespace whittle::packer
