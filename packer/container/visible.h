// SPDX-License-Identifier: MIT
//
// What a packed file shows without being unpacked. Scanners find vulnerable modules, debuggers find
// debug information and people find out where a program comes from by a few pieces of an
// executable: Go's build information, the crates that cargo-auditable lists, build ids. Packing
// would hide them, so copies stand in the packed file where these readers look: notes by a program
// header, the rest by the name of a section. The originals are inside the payload as ever; the
// copies are for readers only and nothing at run time depends on them.
//
// A file with nothing to be found by name has no section headers. They would cost bytes for
// nothing, and GNU strip leaves a file without them alone. In files with sections these cover all
// that is mapped, so that what strip or objcopy make of one still runs (though it can no longer be
// unpacked).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "common/elf.h"
#include "common/section_table.h"

namespace whittle::packer {

struct Visible {
  struct Part {
    elf::SectionEntry section;  // its address and offset are set by `sections_of`
    Bytes bytes;
  };
  std::vector<Part> parts;  // in the order of the file
  Bytes notes;              // whole notes, each a multiple of 4 bytes
  std::vector<std::string> warnings;
};

// Finds in `file` what is to stay readable.
Visible find_visible(const elf::File& file);

// File offsets of what stands between the program headers and the stub.
struct FrontLayout {
  std::vector<std::uint64_t> parts;
  std::uint64_t names = 0, section_headers = 0;  // both 0 where there are no section headers
  std::uint64_t notes = 0;                       // the original's
  std::uint64_t pack_note = 0;                   // PackNote
  std::uint64_t tables = 0, header = 0, stub = 0;
};

FrontLayout lay_out_front(const Visible& visible, std::uint64_t program_headers_end,
                          std::uint64_t tables_size);

struct PayloadPlace {
  std::uint64_t vaddr = 0, offset = 0, size = 0;
};

// The sections of the packed file but for the null section and .shstrtab; none where there is
// nothing to find by name. `stub_vaddr` is the address of file offset 0 in the stub's mapping.
std::vector<elf::SectionEntry> sections_of(const Visible& visible, const FrontLayout& layout,
                                           std::uint64_t stub_vaddr, const PayloadPlace& payload);

// Writes all of it up to the tables: `file` ends after the program headers and then where the
// tables begin. Fills in the section-header fields of the ELF header.
void write_front(const Visible& visible, const FrontLayout& layout,
                 const std::vector<elf::SectionEntry>& sections, const elf::Header& header,
                 Bytes& file);

}  // namespace whittle::packer
