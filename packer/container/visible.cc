// SPDX-License-Identifier: MIT
#include "packer/container/visible.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/go_buildinfo.h"
#include "packer/format.h"

namespace whittle::packer {
namespace {

constexpr std::uint64_t kMaxVisible = std::uint64_t{1} << 20;  // bytes of one part, of all notes
constexpr std::uint32_t kTypeNote = 7;                         // SHT_NOTE
constexpr std::uint64_t kFlagAlloc = elf::kSectionFlagAlloc;
constexpr std::uint64_t kFlagExecute = 4;  // SHF_EXECINSTR

// Four bytes, little-endian.
void append_word(Bytes& to, std::uint64_t value) {
  for (unsigned i = 0; i < 4; i++) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}
void append_padded(Bytes& to, ByteView bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
  to.resize(align_up(to.size(), 4));
}

// GNU's other notes describe the original's machine code and start-up, not what it is.
bool is_worth_showing(const elf::Note& note) {
  return note.owner != "GNU" || note.type == elf::kNoteGnuBuildId;
}

// Packed files are little-endian; notes with 8-byte alignment become ones with 4.
Bytes copy_notes(const elf::File& file) {
  Bytes notes;
  for (const elf::Note& note : file.notes()) {
    if (!is_worth_showing(note)) continue;
    append_word(notes, note.owner_bytes.size());
    append_word(notes, note.descriptor.size());
    append_word(notes, note.type);
    append_padded(notes, note.owner_bytes);
    append_padded(notes, note.descriptor);
    if (notes.size() > kMaxVisible) break;
  }
  return notes;
}

}  // namespace

Visible find_visible(const elf::File& file) {
  Visible visible;
  const auto too_large = [&](std::string_view what) {
    visible.warnings.push_back(fmt::format(
        "{} larger than {} bytes and cannot be read without unpacking", what, kMaxVisible));
  };
  const auto add = [&](std::string name, std::uint64_t align, Bytes bytes) {
    if (bytes.size() > kMaxVisible) return too_large(name + " is");
    elf::SectionEntry section{.name = std::move(name), .flags = kFlagAlloc, .align = align};
    section.size = bytes.size();
    visible.parts.push_back({std::move(section), std::move(bytes)});
  };
  if (const auto strings = elf::find_go_build_strings(file)) {
    add(".go.buildinfo", 16, elf::inline_go_build_info(*strings));
  }
  // The crates of a Rust program: zlib-compressed JSON, as cargo-auditable defines it.
  const elf::Section* crates = file.find_section(".dep-v0");
  if (crates != nullptr && crates->has_bytes() && crates->size != 0) {
    const ByteView bytes = file.bytes().subspan(crates->offset, crates->size);
    add(".dep-v0", 1, Bytes(bytes.begin(), bytes.end()));
  }
  visible.notes = copy_notes(file);
  if (visible.notes.size() > kMaxVisible) {
    visible.notes.clear();
    too_large("its notes are");
  }
  return visible;
}

FrontLayout lay_out_front(const Visible& visible, std::uint64_t program_headers_end,
                          std::uint64_t tables_size) {
  FrontLayout layout;
  std::uint64_t at = program_headers_end;
  for (const Visible::Part& part : visible.parts) {
    layout.parts.push_back(align_up(at, part.section.align));
    at = layout.parts.back() + part.section.size;
  }
  if (!visible.parts.empty()) {
    // Sizes alone matter here.
    const auto sections = sections_of(visible, layout, 0, {});
    layout.names = at;
    layout.section_headers = align_up(at + elf::section_names(sections).size(), 8);
    at = layout.section_headers + (sections.size() + 2) * elf::section_header_size({});
  }
  // The stub's place decides the rest, backwards, since each piece ends where the next begins.
  layout.stub = align_up(
      align_up(at, 4) + visible.notes.size() + sizeof(PackNote) + tables_size + sizeof(PackHeader),
      16);
  layout.header = layout.stub - sizeof(PackHeader);
  layout.tables = layout.header - tables_size;
  layout.pack_note = layout.tables - sizeof(PackNote);
  layout.notes = layout.pack_note - visible.notes.size();
  return layout;
}

std::vector<elf::SectionEntry> sections_of(const Visible& visible, const FrontLayout& layout,
                                           std::uint64_t stub_vaddr, const PayloadPlace& payload) {
  std::vector<elf::SectionEntry> sections;
  if (visible.parts.empty()) return sections;
  const auto place = [&](elf::SectionEntry section, std::uint64_t offset, std::uint64_t size) {
    section.offset = offset;
    section.addr = stub_vaddr + offset;
    section.size = size;
    sections.push_back(std::move(section));
  };
  for (std::size_t i = 0; i < visible.parts.size(); i++) {
    place(visible.parts[i].section, layout.parts[i], visible.parts[i].section.size);
  }
  place({.name = ".note", .type = kTypeNote, .flags = kFlagAlloc, .align = 4}, layout.notes,
        layout.stub - layout.notes);
  place({.name = ".text", .flags = kFlagAlloc | kFlagExecute, .align = 16}, layout.stub,
        payload.offset - layout.stub);
  sections.push_back({.name = ".payload",
                      .flags = kFlagAlloc,
                      .addr = payload.vaddr,
                      .offset = payload.offset,
                      .size = payload.size});
  return sections;
}

void write_front(const Visible& visible, const FrontLayout& layout,
                 const std::vector<elf::SectionEntry>& sections, const elf::Header& header,
                 Bytes& file) {
  const auto append = [&](std::uint64_t offset, ByteView bytes) {
    file.resize(offset);
    file.insert(file.end(), bytes.begin(), bytes.end());
  };
  for (std::size_t i = 0; i < visible.parts.size(); i++) {
    append(layout.parts[i], visible.parts[i].bytes);
  }
  if (!sections.empty()) {
    append(layout.names, elf::section_names(sections));
    append(layout.section_headers, elf::section_headers(sections, layout.names, header));
    const auto put = [&](std::size_t offset, auto value) {
      std::memcpy(file.data() + offset, &value, sizeof value);
    };
    put(40, layout.section_headers);                           // e_shoff
    put(58, elf::section_header_size(header));                 // e_shentsize
    put(60, static_cast<std::uint16_t>(sections.size() + 2));  // e_shnum
    put(62, static_cast<std::uint16_t>(sections.size() + 1));  // e_shstrndx
  }
  append(layout.notes, visible.notes);
  PackNote note{.name_size = sizeof note.name,
                .descriptor_size = static_cast<std::uint32_t>(layout.stub - layout.tables),
                .type = kPackNoteType,
                .name = {}};
  std::memcpy(note.name, kPackNoteName, sizeof note.name);
  append(layout.pack_note, {reinterpret_cast<const std::uint8_t*>(&note), sizeof note});
}

}  // namespace whittle::packer
