// SPDX-License-Identifier: MIT
//
// Makes small ELF files of either class and byte order, for tests that need one with a certain
// property or defect. The files are well-formed; `ElfImage::set` then breaks one field of them.
//
//   ELF header, program headers, [section header table], interpreter, notes, dynamic strings,
//   dynamic section, code                                      -> PT_LOAD R-X at kBase
//   data                                                       -> PT_LOAD RW-
//   contents of sections, [section header table], overlay
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes.h"
#include "common/elf.h"

namespace whittle::test {

inline constexpr std::uint64_t kBase = 0x400000;      // address of file offset 0
inline constexpr std::uint64_t kDataBase = 0x500000;  // address of offset 0 in the data segment

struct ElfNote {
  std::string owner;
  std::uint32_t type = 0;
  std::string descriptor;
};

struct ElfSpec {
  bool is_64bit = true;
  ByteOrder order = ByteOrder::little;
  std::uint16_t type = elf::kTypeExec;
  std::uint16_t machine = elf::kMachineX86_64;
  std::string interpreter;
  bool dynamic = false;  // a dynamic section even without any of the next four
  std::vector<std::string> needed;
  std::string soname;
  bool pie_flag = false;
  bool debug_entry = false;
  std::vector<ElfNote> notes;
  std::string code = std::string(64, '\x90');
  std::string data = std::string(64, '\x01');
  std::optional<std::uint64_t> entry;                         // default: start of the code
  std::vector<std::pair<std::string, std::string>> sections;  // behind the segments, not loaded
  bool section_table_inside = false;  // as Go's linker does: behind the program headers
  std::string overlay;
};

// Where things are in the file that `build` made, as file offsets.
struct ElfImage {
  Bytes bytes;
  ByteOrder order = ByteOrder::little;
  bool is_64bit = true;
  std::uint64_t segments_end = 0;  // end of the last segment
  std::uint64_t code = 0, data = 0, dynamic = 0, dynamic_strings = 0, interpreter = 0;

  // Overwrites `width` bytes at `offset` with `value` in the file's byte order.
  void set(std::uint64_t offset, unsigned width, std::uint64_t value) {
    for (unsigned i = 0; i < width; i++) {
      const unsigned at = order == ByteOrder::little ? i : width - 1 - i;
      bytes.at(offset + at) = static_cast<std::uint8_t>(value >> (8 * i));
    }
  }
  unsigned word() const { return is_64bit ? 8 : 4; }
  // Offset of field `name` of program header `index`.
  std::uint64_t segment_field(std::uint64_t index, std::string_view name) const {
    struct Field {
      std::string_view name;
      std::uint64_t at32, at64;
    };
    static constexpr Field kFields[] = {{"type", 0, 0},   {"flags", 24, 4},   {"offset", 4, 8},
                                        {"vaddr", 8, 16}, {"filesz", 16, 32}, {"memsz", 20, 40},
                                        {"align", 28, 48}};
    for (const Field& field : kFields) {
      if (field.name != name) continue;
      return is_64bit ? 64 + index * 56 + field.at64 : 52 + index * 32 + field.at32;
    }
    throw std::logic_error("no such field");
  }
};

namespace detail {

class Emitter {
 public:
  explicit Emitter(ElfImage& image) : image_(image) {}
  std::uint64_t at() const { return image_.bytes.size(); }
  void number(unsigned width, std::uint64_t value) {
    image_.bytes.resize(at() + width);
    image_.set(at() - width, width, value);
  }
  void word(std::uint64_t value) { number(image_.word(), value); }
  void text(std::string_view value) {
    image_.bytes.insert(image_.bytes.end(), value.begin(), value.end());
  }
  void align(std::uint64_t alignment) { image_.bytes.resize(align_up(at(), alignment)); }

 private:
  ElfImage& image_;
};

struct Placed {
  std::uint32_t type = 0, flags = 0;
  std::uint64_t offset = 0, vaddr = 0, size = 0, align = 0;
};

}  // namespace detail

inline ElfImage build(const ElfSpec& spec) {
  using detail::Placed;
  ElfImage image;
  image.order = spec.order;
  image.is_64bit = spec.is_64bit;
  detail::Emitter out(image);
  const std::uint64_t header_size = spec.is_64bit ? 64 : 52;
  const std::uint64_t segment_size = spec.is_64bit ? 56 : 32;
  const std::uint64_t section_size = spec.is_64bit ? 64 : 40;
  const bool has_dynamic = spec.dynamic || !spec.needed.empty() || !spec.soname.empty() ||
                           spec.pie_flag || spec.debug_entry;
  const std::uint64_t segment_count = 2u + (spec.interpreter.empty() ? 0u : 1u) +
                                      (spec.notes.empty() ? 0u : 1u) + (has_dynamic ? 1u : 0u);
  // Null, the code, the caller's, and the names.
  const std::uint64_t section_count = spec.sections.empty() ? 0 : spec.sections.size() + 3;
  std::vector<Placed> segments;

  image.bytes.resize(header_size + segment_count * segment_size);
  std::uint64_t section_table = 0;
  if (section_count != 0 && spec.section_table_inside) {
    out.align(8);
    section_table = out.at();
    image.bytes.resize(out.at() + section_count * section_size);
  }
  if (!spec.interpreter.empty()) {
    image.interpreter = out.at();
    out.text(spec.interpreter);
    out.text(std::string_view("\0", 1));
    segments.push_back({elf::kSegmentInterp, elf::kFlagRead, image.interpreter,
                        kBase + image.interpreter, out.at() - image.interpreter, 1});
  }
  if (!spec.notes.empty()) {
    out.align(4);
    const std::uint64_t start = out.at();
    for (const ElfNote& note : spec.notes) {
      out.number(4, note.owner.size() + 1);
      out.number(4, note.descriptor.size());
      out.number(4, note.type);
      out.text(note.owner);
      out.text(std::string_view("\0", 1));
      out.align(4);
      out.text(note.descriptor);
      out.align(4);
    }
    segments.push_back(
        {elf::kSegmentNote, elf::kFlagRead, start, kBase + start, out.at() - start, 4});
  }
  if (has_dynamic) {
    image.dynamic_strings = out.at();
    std::vector<std::pair<std::uint64_t, std::uint64_t>> entries;
    out.text(std::string_view("\0", 1));
    const auto name = [&](std::uint64_t tag, std::string_view value) {
      entries.emplace_back(tag, out.at() - image.dynamic_strings);
      out.text(value);
      out.text(std::string_view("\0", 1));
    };
    for (const std::string& library : spec.needed) name(elf::kDynamicNeeded, library);
    if (!spec.soname.empty()) name(elf::kDynamicSoname, spec.soname);
    entries.emplace_back(elf::kDynamicStrTab, kBase + image.dynamic_strings);
    entries.emplace_back(elf::kDynamicStrSize, out.at() - image.dynamic_strings);
    if (spec.debug_entry) entries.emplace_back(elf::kDynamicDebug, 0);
    if (spec.pie_flag) entries.emplace_back(elf::kDynamicFlags1, elf::kDynamicFlags1Pie);
    entries.emplace_back(elf::kDynamicNull, 0);
    out.align(8);
    image.dynamic = out.at();
    for (const auto& [tag, value] : entries) {
      out.word(tag);
      out.word(value);
    }
    segments.push_back({elf::kSegmentDynamic, elf::kFlagRead, image.dynamic, kBase + image.dynamic,
                        out.at() - image.dynamic, 8});
  }
  out.align(16);
  image.code = out.at();
  out.text(spec.code);
  segments.push_back(
      {elf::kSegmentLoad, elf::kFlagRead | elf::kFlagExecute, 0, kBase, out.at(), 0x1000});
  out.align(16);
  image.data = out.at();
  out.text(spec.data);
  segments.push_back({elf::kSegmentLoad, elf::kFlagRead | elf::kFlagWrite, image.data,
                      kDataBase + image.data, spec.data.size(), 0x1000});
  image.segments_end = out.at();

  std::vector<Placed> sections;
  std::vector<std::uint64_t> name_offsets;
  std::string names(1, '\0');
  const auto section = [&](std::string_view name, const Placed& placed) {
    name_offsets.push_back(names.size());
    names += name;
    names += '\0';
    sections.push_back(placed);
  };
  if (section_count != 0) {
    section("", {});
    section(".text", {1, 6, image.code, kBase + image.code, spec.code.size(), 16});
    for (const auto& [name, content] : spec.sections) {
      section(name, {name == ".symtab" ? 2u : 1u, 0, out.at(), 0, content.size(), 1});
      out.text(content);
    }
    section(".shstrtab", {3, 0, out.at(), 0, 0, 1});
    sections.back().size = names.size();
    out.text(names);
    if (section_table == 0) {
      out.align(8);
      section_table = out.at();
      image.bytes.resize(out.at() + section_count * section_size);
    }
  }
  out.text(spec.overlay);

  // Everything has its place: fill in the tables.
  Bytes& bytes = image.bytes;
  const auto put = [&](std::uint64_t at, std::vector<std::pair<unsigned, std::uint64_t>> fields) {
    for (const auto& [width, value] : fields) {
      image.set(at, width, value);
      at += width;
    }
  };
  const unsigned w = image.word();
  bytes[0] = 0x7f;
  bytes[1] = 'E';
  bytes[2] = 'L';
  bytes[3] = 'F';
  bytes[4] = spec.is_64bit ? 2 : 1;
  bytes[5] = spec.order == ByteOrder::little ? 1 : 2;
  bytes[6] = 1;
  put(16, {{2, spec.type},
           {2, spec.machine},
           {4, 1},
           {w, spec.entry.value_or(kBase + image.code)},
           {w, header_size},
           {w, section_table},
           {4, 0},
           {2, header_size},
           {2, segment_size},
           {2, segment_count},
           {2, section_size},
           {2, section_count},
           {2, section_count == 0 ? 0 : section_count - 1}});
  for (std::size_t i = 0; i < segments.size(); i++) {
    const Placed& s = segments[i];
    const std::uint64_t at = header_size + i * segment_size;
    if (spec.is_64bit) {
      put(at, {{4, s.type},
               {4, s.flags},
               {8, s.offset},
               {8, s.vaddr},
               {8, s.vaddr},
               {8, s.size},
               {8, s.size},
               {8, s.align}});
    } else {
      put(at, {{4, s.type},
               {4, s.offset},
               {4, s.vaddr},
               {4, s.vaddr},
               {4, s.size},
               {4, s.size},
               {4, s.flags},
               {4, s.align}});
    }
  }
  for (std::size_t i = 0; i < sections.size(); i++) {
    const Placed& s = sections[i];
    put(section_table + i * section_size, {{4, name_offsets[i]},
                                           {4, s.type},
                                           {w, s.flags},
                                           {w, s.vaddr},
                                           {w, s.offset},
                                           {w, s.size}});
  }
  return image;
}

}  // namespace whittle::test
