// SPDX-License-Identifier: MIT
//
// An ELF reader that trusts nothing. It reads what the kernel's loader reads (identification,
// header, program headers, dynamic section, notes), in both classes and byte orders, with every
// count and offset checked before use. It is the authority for everything whittle decides; a
// general library adds names of sections and symbols where they help.
//
// The constants are our own because <elf.h> spells them as macros, which other ELF libraries
// undefine. Source: System V ABI, chapter 4 and 5; Linux include/uapi/linux/elf.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"

namespace whittle::elf {

enum : std::uint16_t { kTypeRel = 1, kTypeExec = 2, kTypeDyn = 3, kTypeCore = 4 };
enum : std::uint16_t {
  kMachine386 = 3,
  kMachineMips = 8,
  kMachinePpc64 = 21,
  kMachineS390 = 22,
  kMachineArm = 40,
  kMachineX86_64 = 62,
  kMachineAarch64 = 183,
  kMachineRiscv = 243,
  kMachineLoongArch = 258,
};
enum : std::uint32_t {
  kSegmentLoad = 1,
  kSegmentDynamic = 2,
  kSegmentInterp = 3,
  kSegmentNote = 4,
  kSegmentPhdr = 6,
  kSegmentTls = 7,
  kSegmentGnuEhFrame = 0x6474e550,
  kSegmentGnuStack = 0x6474e551,
  kSegmentGnuRelro = 0x6474e552,
  kSegmentGnuProperty = 0x6474e553,
};
enum : std::uint32_t { kFlagExecute = 1, kFlagWrite = 2, kFlagRead = 4 };
enum : std::uint64_t {
  kDynamicNull = 0,
  kDynamicNeeded = 1,
  kDynamicStrTab = 5,
  kDynamicStrSize = 10,
  kDynamicSoname = 14,
  kDynamicRpath = 15,
  kDynamicDebug = 21,  // written by linkers into executables, never into shared libraries
  kDynamicRunpath = 29,
  kDynamicFlags1 = 0x6ffffffb,
};
inline constexpr std::uint64_t kDynamicFlags1Pie = 0x08000000;
enum : std::uint32_t {
  kSectionNull = 0,
  kSectionProgBits = 1,
  kSectionSymTab = 2,
  kSectionStrTab = 3,
  kSectionRela = 4,
  kSectionNote = 7,
  kSectionNoBits = 8,
  kSectionRel = 9,
  kSectionSymTabIndexes = 18,
};
inline constexpr std::uint64_t kSectionFlagAlloc = 2;
// Types of notes whose owner is "GNU" or, for the last, "Go".
enum : std::uint32_t {
  kNoteGnuAbiTag = 1,
  kNoteGnuBuildId = 3,
  kNoteGnuProperty = 5,
  kNoteGoBuildId = 4,
};

// Properties whose bits say what control flow the code keeps to: FEATURE_1_AND of each machine.
inline constexpr std::uint32_t kPropertyX86 = 0xc0000002, kPropertyAarch64 = 0xc0000000;

struct Header {
  bool is_64bit = true;
  ByteOrder order = ByteOrder::little;
  std::uint8_t os_abi = 0;
  std::uint16_t type = 0;
  std::uint16_t machine = 0;
  std::uint32_t flags = 0;
  std::uint64_t entry = 0;  // virtual address
  std::uint64_t phoff = 0;  // file offset of the program headers
  std::uint64_t shoff = 0;  // file offset of the section headers, 0: none
  std::uint16_t ehsize = 0, phentsize = 0, phnum = 0;
  std::uint16_t shentsize = 0, shnum = 0, shstrndx = 0;
};

struct Segment {  // a program header
  std::uint32_t type = 0;
  std::uint32_t flags = 0;
  std::uint64_t offset = 0, vaddr = 0, paddr = 0, filesz = 0, memsz = 0, align = 0;

  std::uint64_t file_end() const { return offset + filesz; }
  std::uint64_t memory_end() const { return vaddr + memsz; }
};

struct Section {  // a section header
  std::string name;
  std::uint32_t type = 0;
  std::uint64_t flags = 0, addr = 0, offset = 0, size = 0;
  std::uint32_t link = 0;  // index of another section; of its strings for a symbol table
  std::uint32_t info = 0;  // for relocations, index of the section that they change

  // True when the section takes up [offset, offset + size) of the file, which then was checked to
  // lie within it. Offsets of the others mean nothing.
  bool has_bytes() const { return type != kSectionNull && type != kSectionNoBits; }
};

struct DynamicEntry {
  std::uint64_t tag = 0, value = 0;
};

struct Note {
  std::string owner;     // without the terminating NULs
  ByteView owner_bytes;  // with them, into the file's bytes
  std::uint32_t type = 0;
  std::uint64_t offset = 0;  // of the descriptor in the file
  ByteView descriptor;       // into the file's bytes
};

// True when the bytes begin with "\x7fELF".
bool has_magic(ByteView bytes);

// "x86-64", "aarch64", "riscv64", "i386", …; "machine 1234" where unknown.
std::string machine_name(const Header& header);

// A parsed executable; a view, so the bytes must outlive it.
//
// `parse` throws Error{malformed} with the offset for: no ELF magic, class or data encoding or
// version other than the standard's, a header or program header table that does not lie in the
// file, a program header size other than the class's, more than 65,534 headers, a segment whose
// file range is outside the file, whose address range wraps, or a loadable one whose p_filesz
// exceeds its p_memsz. It takes loadable segments that overlap: the kernel maps one over the other,
// and each caller decides what that means for it. Section headers are optional to a running
// program, so a problem with them never fails the parse: `sections` is then empty and
// `section_problem` says why.
class File {
 public:
  static File parse(ByteView bytes, std::string_view path);

  const Header& header() const { return header_; }
  const std::vector<Segment>& segments() const { return segments_; }
  const std::vector<Section>& sections() const { return sections_; }
  const std::string& section_problem() const { return section_problem_; }
  ByteView bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

  const Segment* find_segment(std::uint32_t type) const;     // the first of that type, or null
  const Section* find_section(std::string_view name) const;  // the first of that name, or null

  // PT_INTERP's string without its NUL, or nothing. Throws Error{malformed} where it is not one
  // that the kernel takes: 2 to 4096 bytes of which the last is NUL.
  std::optional<std::string> interpreter() const;

  // PT_DYNAMIC's entries up to DT_NULL. Throws Error{malformed} where they leave the segment.
  std::vector<DynamicEntry> dynamic() const;
  // Strings of the dynamic section with this tag (DT_NEEDED, DT_SONAME, DT_RPATH, DT_RUNPATH).
  // Throws Error{malformed} where one lies outside the string table or all of them together are
  // longer than 1 MiB: entries may share a string, so their sum is not bounded by the file's size.
  std::vector<std::string> dynamic_strings(std::uint64_t tag) const;

  // The notes of every PT_NOTE segment. A damaged note ends its segment's list.
  std::vector<Note> notes() const;
  // The bits of a property of type `type` in the notes GNU/property (the gABI's extension for
  // Linux: a list of type, size, data padded to a word); 0 where there is none.
  std::uint32_t gnu_property(std::uint32_t type) const;

  // True where the segments add up to more than 16 MiB and eight times the file. They may share
  // bytes, and those of real programs add up to twice the file; but who searches all segments of a
  // file that claims its bytes 65,000 times searches for hours.
  bool claims_too_much() const;

  // File offset of a virtual address inside some PT_LOAD's file bytes with `length` bytes after it.
  std::optional<std::uint64_t> offset_of(std::uint64_t vaddr, std::uint64_t length = 1) const;

 private:
  std::string path_;
  ByteView bytes_;
  Header header_;
  std::vector<Segment> segments_;
  std::vector<Section> sections_;
  std::string section_problem_;
};

}  // namespace whittle::elf
