// SPDX-License-Identifier: MIT
//
// The packer's interface: pack, unpack, inspect, verify. The words in which a caller chooses are in
// packer/choices.h. A packed program is an ordinary ELF file that unpacks itself in memory and runs
// as before; packer/format.h defines its layout and packer/FORMAT.md explains it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "packer/choices.h"
#include "packer/container/is_packed.h"

namespace whittle::packer {

struct PackOptions {
  Level level = Level::fast;
  Goal goal = Goal::disk;  // Level::automatic alone
  // The file is set-uid, set-gid or carries file capabilities: refused ("privileged"), because it
  // would run the stub with privileges its author never reviewed it for.
  bool privileged = false;
  // If `file` was made from another file by stripping: that one, for the record. `unpack` gives
  // back `file`; the record lets it say that this is not what there was before.
  std::optional<ByteView> stripped_from;
  Progress progress;  // may be empty
};

// What `pack` would say of a file.
struct Packability {
  std::optional<Refusal> refusal;     // why not; nothing where it can be packed
  std::vector<std::string> warnings;  // of what packing keeps or leaves out
};

// Whether this file can be packed, without packing it: what the headers tell. (That it would not
// get smaller shows only when it is packed.) A refusal is a value because a build goes on with the
// plain file. Throws Error{malformed} where the file's headers cannot be right.
Packability check(ByteView file, std::string_view path, const PackOptions& options = {});

struct PackedFile {
  Bytes bytes;
  std::uint64_t original_size = 0;  // bytes of the original file
  std::uint64_t source_size = 0;    // bytes before it was stripped for packing; the same where not
  std::uint64_t start_memory = 0;   // bytes, as in PackInfo
  std::string level;                // "fast", "small"
  std::string choice;               // Level::automatic alone: why this level, with figures
  std::vector<std::string> warnings;
};

struct PackDecision {
  std::optional<PackedFile> packed;  // exactly one of the two is set
  std::optional<Refusal> refusal;
};

// Packs `file`. The result has been unpacked again and compared bit for bit before it is returned.
// A file that would not get smaller is refused ("not-smaller").
PackDecision pack(ByteView file, std::string_view path, const PackOptions& options = {});

// One stream of a packed file. Several parts may make one region, which `address` and `region_size`
// then describe.
struct StreamInfo {
  std::string name;           // "image"; "part", of a region; "rest", which is not mapped
  std::uint64_t address = 0;  // virtual address of what it decodes to, 0 for what is not mapped
  std::uint64_t raw_size = 0, packed_size = 0;  // bytes
  std::string holds;              // "segment r-x", "Go function table", "outside the segments"
  std::string codec;              // "stored", "zstd", "mix", "quick"
  std::string transform;          // inverted in place after decoding: "x86-64 code"; often empty
  std::uint32_t part = 0;         // counted from 1; 0 where it is no part
  std::uint32_t part_count = 0;   // parts of the region
  std::uint64_t region_size = 0;  // bytes that the parts make
};

// What a packed file says about itself; reading it runs and decodes nothing.
struct PackInfo {
  int format_version = 0;
  std::string packer_version;
  std::string machine;  // "x86-64", "aarch64", "riscv64"
  std::string level;    // "fast", "small"
  std::uint64_t packed_size = 0, original_size = 0, stub_size = 0;
  std::string original_sha256;    // hexadecimal, of the original file
  std::uint64_t source_size = 0;  // before it was stripped for packing; the same where it was not
  std::string source_sha256;
  std::uint64_t scratch_size = 0;  // bytes of memory beside the image that unpacking works in
  // Bytes of private memory that a start takes besides what the program itself uses, roughly: what
  // a memory limit must allow. (The original's pages are read from its file when they are first
  // used.)
  std::uint64_t start_memory = 0;
  std::vector<StreamInfo> streams;

  // Whether `unpack` gives back the file as it was before any stripping.
  bool is_original() const { return source_sha256 == original_sha256; }
};

// Throws Error{refused} where the file is not packed, Error{corrupt} where a packed file's header
// is damaged.
PackInfo inspect(ByteView file, std::string_view path);

// A table of the original that could be stored as streams, as others of its kind are, and is stored
// as plain bytes.
struct PlainTable {
  std::string what;           // "Go function table"
  std::uint64_t address = 0;  // virtual
  std::uint64_t size = 0;     // bytes; 0 where the table does not show where it ends
  std::string why;            // "function 7 (main.main) has pc tables of different lengths"
};

// Those tables of a packed file, ascending by address. To find the reasons, the original is
// unpacked in memory and its tables are taken apart again; a table that only this version would
// split is listed as well. Throws as `unpack` does.
std::vector<PlainTable> plain_tables(ByteView file, std::string_view path);

// Gives back the original file, bit for bit: the file as it was handed to `pack`. What was
// stripped before that is gone, and PackInfo's source_sha256 then differs from its original_sha256.
// Throws Error{refused} where the file is not packed and Error{corrupt} where any digest differs.
Bytes unpack(ByteView file, std::string_view path);

// One line of `whittle verify`.
struct Check {
  std::string name;  // "file digest"
  bool ok = false;
  std::string detail;  // what was found, where it is not what was expected
};

// Checks every digest of a packed file and decodes it, running nothing. Damage is a failed check,
// not an error, in the ELF headers as well for as long as whittle's note is there. Throws
// Error{refused} where the file is not packed, Error{malformed} where nothing tells that it was.
std::vector<Check> verify(ByteView file, std::string_view path);

}  // namespace whittle::packer
