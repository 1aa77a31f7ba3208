// SPDX-License-Identifier: MIT
#include "common/elf.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.h"

namespace whittle::elf {
namespace {

// Offsets in the ELF header and in one program or section header, for either class. The two
// classes hold the same fields; widths of addresses and the order of p_flags differ.
class Layout {
 public:
  Layout(const ByteReader& reader, bool is_64bit) : reader_(reader), is_64bit_(is_64bit) {}

  std::uint64_t word(std::uint64_t offset, std::string_view what) const {
    return is_64bit_ ? reader_.u64(offset, what) : reader_.u32(offset, what);
  }

  Header header() const {
    Header h;
    h.is_64bit = is_64bit_;
    h.order = reader_.order();
    h.os_abi = reader_.u8(7, "e_ident");
    h.type = reader_.u16(16, "e_type");
    h.machine = reader_.u16(18, "e_machine");
    const std::uint64_t w = is_64bit_ ? 8 : 4;
    h.entry = word(24, "e_entry");
    h.phoff = word(24 + w, "e_phoff");
    h.shoff = word(24 + 2 * w, "e_shoff");
    const std::uint64_t rest = 24 + 3 * w;
    h.flags = reader_.u32(rest, "e_flags");
    h.ehsize = reader_.u16(rest + 4, "e_ehsize");
    h.phentsize = reader_.u16(rest + 6, "e_phentsize");
    h.phnum = reader_.u16(rest + 8, "e_phnum");
    h.shentsize = reader_.u16(rest + 10, "e_shentsize");
    h.shnum = reader_.u16(rest + 12, "e_shnum");
    h.shstrndx = reader_.u16(rest + 14, "e_shstrndx");
    return h;
  }

  std::uint16_t segment_size() const { return is_64bit_ ? 56 : 32; }
  Segment segment(std::uint64_t at) const {
    Segment s;
    s.type = reader_.u32(at, "p_type");
    if (is_64bit_) {
      s.flags = reader_.u32(at + 4, "p_flags");
      s.offset = reader_.u64(at + 8, "p_offset");
      s.vaddr = reader_.u64(at + 16, "p_vaddr");
      s.paddr = reader_.u64(at + 24, "p_paddr");
      s.filesz = reader_.u64(at + 32, "p_filesz");
      s.memsz = reader_.u64(at + 40, "p_memsz");
      s.align = reader_.u64(at + 48, "p_align");
    } else {
      s.offset = reader_.u32(at + 4, "p_offset");
      s.vaddr = reader_.u32(at + 8, "p_vaddr");
      s.paddr = reader_.u32(at + 12, "p_paddr");
      s.filesz = reader_.u32(at + 16, "p_filesz");
      s.memsz = reader_.u32(at + 20, "p_memsz");
      s.flags = reader_.u32(at + 24, "p_flags");
      s.align = reader_.u32(at + 28, "p_align");
    }
    return s;
  }

  std::uint16_t section_size() const { return is_64bit_ ? 64 : 40; }
  // The name is left as its offset in the string table.
  std::pair<Section, std::uint32_t> section(std::uint64_t at) const {
    Section s;
    const std::uint64_t w = is_64bit_ ? 8 : 4;
    const std::uint32_t name_offset = reader_.u32(at, "sh_name");
    s.type = reader_.u32(at + 4, "sh_type");
    s.flags = word(at + 8, "sh_flags");
    s.addr = word(at + 8 + w, "sh_addr");
    s.offset = word(at + 8 + 2 * w, "sh_offset");
    s.size = word(at + 8 + 3 * w, "sh_size");
    s.link = reader_.u32(at + 8 + 4 * w, "sh_link");
    s.info = reader_.u32(at + 12 + 4 * w, "sh_info");
    return {s, name_offset};
  }

 private:
  const ByteReader& reader_;
  bool is_64bit_;
};

ByteOrder read_byte_order(ByteView bytes, std::string_view path) {
  if (bytes[5] == 1) return ByteOrder::little;
  if (bytes[5] == 2) return ByteOrder::big;
  throw Error(ErrorKind::malformed, path,
              fmt::format("the ELF data encoding is {}, neither 1 (little-endian) nor 2 "
                          "(big-endian); the header is damaged",
                          bytes[5]),
              5);
}

bool read_class(ByteView bytes, std::string_view path) {
  if (bytes[4] == 1 || bytes[4] == 2) return bytes[4] == 2;
  throw Error(ErrorKind::malformed, path,
              fmt::format("the ELF class is {}, neither 1 (32-bit) nor 2 (64-bit); the header is "
                          "damaged",
                          bytes[4]),
              4);
}

void check_segment(const Segment& s, std::uint64_t at, std::uint64_t file_size, bool is_64bit,
                   std::string_view path) {
  const auto fail = [&](std::string_view what) {
    throw Error(ErrorKind::malformed, path, fmt::format("program header: {}", what), at);
  };
  if (!in_bounds(s.offset, s.filesz, file_size)) {
    fail(fmt::format("its bytes [{}, +{}) are outside the file of {} bytes", s.offset, s.filesz,
                     file_size));
  }
  if (s.type != kSegmentLoad) return;
  if (s.filesz > s.memsz) {
    fail(fmt::format("p_filesz {} is larger than p_memsz {}", s.filesz, s.memsz));
  }
  const std::uint64_t top = is_64bit ? UINT64_MAX : UINT32_MAX;
  if (s.memsz > top - s.vaddr) {
    fail(fmt::format("the addresses {:#x} + {:#x} wrap around", s.vaddr, s.memsz));
  }
}

// A section's name is a suffix-shared string: a hostile file can give every one of its sections a
// name as long as the file. Longer ones than this are cut.
constexpr std::size_t kMaxSectionName = 1024;
// Ten times what the largest programs have; a file made of section headers would take gigabytes.
constexpr std::uint64_t kMaxSections = std::uint64_t{1} << 18;

constexpr std::uint16_t kIndexInFirst = 0xffff;  // SHN_XINDEX

// Section headers serve tools, not the kernel: any trouble with them is told, never fatal.
std::vector<Section> read_sections(const ByteReader& reader, const Layout& layout,
                                   const Header& header, std::string& problem) {
  if (header.shoff == 0) return {};
  if (header.shentsize != layout.section_size()) {
    problem = fmt::format("e_shentsize is {}, not {}", header.shentsize, layout.section_size());
    return {};
  }
  try {
    // Large counts stand in the first entry (System V ABI, "Section header").
    std::uint64_t count = header.shnum;
    std::uint64_t names_index = header.shstrndx;
    if (count == 0) count = layout.section(header.shoff).first.size;
    if (names_index == kIndexInFirst) names_index = layout.section(header.shoff).first.link;
    if (!in_bounds(header.shoff, 0, reader.size()) ||
        count > (reader.size() - header.shoff) / layout.section_size()) {
      problem = fmt::format("{} section headers at offset {} do not fit in the file", count,
                            header.shoff);
      return {};
    }
    if (count > kMaxSections) {
      problem = fmt::format("{} section headers are more than {}", count, kMaxSections);
      return {};
    }
    std::vector<Section> sections;
    std::vector<std::uint32_t> name_offsets;
    for (std::uint64_t i = 0; i < count; i++) {
      auto [section, name_offset] = layout.section(header.shoff + i * layout.section_size());
      if (section.has_bytes() && !in_bounds(section.offset, section.size, reader.size())) {
        problem = fmt::format("section {} is outside the file", i);
        return {};
      }
      sections.push_back(std::move(section));
      name_offsets.push_back(name_offset);
    }
    if (names_index < sections.size() && sections[names_index].has_bytes()) {
      const ByteView names =
          reader.bytes().subspan(sections[names_index].offset, sections[names_index].size);
      for (std::size_t i = 0; i < sections.size(); i++) {
        if (name_offsets[i] >= names.size()) continue;
        ByteView from = names.subspan(name_offsets[i]);
        from = from.first(std::min(from.size(), kMaxSectionName));
        const auto end = std::find(from.begin(), from.end(), std::uint8_t{0});
        sections[i].name = as_text(from.first(static_cast<std::size_t>(end - from.begin())));
      }
    }
    return sections;
  } catch (const Error& error) {
    problem = error.message();
    return {};
  }
}

}  // namespace

bool has_magic(ByteView bytes) {
  return bytes.size() >= 4 && bytes[0] == 0x7f && bytes[1] == 'E' && bytes[2] == 'L' &&
         bytes[3] == 'F';
}

std::string machine_name(const Header& header) {
  switch (header.machine) {
    case kMachine386:
      return "i386";
    case kMachineMips:
      return header.is_64bit ? "mips64" : "mips";
    case kMachinePpc64:
      return header.order == ByteOrder::little ? "ppc64le" : "ppc64";
    case kMachineS390:
      return "s390x";
    case kMachineArm:
      return "arm";
    case kMachineX86_64:
      return header.is_64bit ? "x86-64" : "x32";
    case kMachineAarch64:
      return header.order == ByteOrder::little ? "aarch64" : "aarch64_be";
    case kMachineRiscv:
      return header.is_64bit ? "riscv64" : "riscv32";
    case kMachineLoongArch:
      return header.is_64bit ? "loongarch64" : "loongarch32";
    default:
      return fmt::format("machine {}", header.machine);
  }
}

File File::parse(ByteView bytes, std::string_view path) {
  if (bytes.empty()) throw Error(ErrorKind::malformed, path, "the file is empty");
  if (!has_magic(bytes)) {
    throw Error(ErrorKind::malformed, path, "is not an ELF file (it does not begin with \\x7fELF)",
                0);
  }
  if (bytes.size() < 16) {
    throw Error(ErrorKind::malformed, path, "the ELF identification is truncated", bytes.size());
  }
  const bool is_64bit = read_class(bytes, path);
  const ByteReader reader(bytes, read_byte_order(bytes, path), path);
  if (bytes[6] != 1) {
    throw Error(ErrorKind::malformed, path, fmt::format("the ELF version is {}, not 1", bytes[6]),
                6);
  }
  const Layout layout(reader, is_64bit);

  File file;
  file.path_ = path;
  file.bytes_ = bytes;
  file.header_ = layout.header();
  const Header& header = file.header_;
  if (header.phnum == 0xffff) {
    throw Error(ErrorKind::malformed, path,
                "more than 65,534 program headers, which the kernel does not load",
                is_64bit ? 56 : 44);
  }
  if (header.phnum != 0) {
    if (header.phentsize != layout.segment_size()) {
      throw Error(ErrorKind::malformed, path,
                  fmt::format("e_phentsize is {}, not {}", header.phentsize, layout.segment_size()),
                  is_64bit ? 54 : 42);
    }
    reader.slice(header.phoff, std::uint64_t{header.phnum} * header.phentsize,
                 "the program header table");
    for (std::uint64_t i = 0; i < header.phnum; i++) {
      const std::uint64_t at = header.phoff + i * header.phentsize;
      const Segment segment = layout.segment(at);
      check_segment(segment, at, bytes.size(), is_64bit, path);
      file.segments_.push_back(segment);
    }
  }
  file.sections_ = read_sections(reader, layout, header, file.section_problem_);
  return file;
}

const Segment* File::find_segment(std::uint32_t type) const {
  const auto it = std::find_if(segments_.begin(), segments_.end(),
                               [type](const Segment& s) { return s.type == type; });
  return it == segments_.end() ? nullptr : &*it;
}

const Section* File::find_section(std::string_view name) const {
  const auto it = std::find_if(sections_.begin(), sections_.end(),
                               [name](const Section& s) { return s.name == name; });
  return it == sections_.end() ? nullptr : &*it;
}

std::optional<std::string> File::interpreter() const {
  const Segment* segment = find_segment(kSegmentInterp);
  if (segment == nullptr) return std::nullopt;
  constexpr std::uint64_t kPathMax = 4096;  // Linux's PATH_MAX, the NUL included
  if (segment->filesz < 2 || segment->filesz > kPathMax || bytes_[segment->file_end() - 1] != 0) {
    throw Error(ErrorKind::malformed, path_,
                "the interpreter's name is not a string of 2 to 4096 bytes that ends in NUL",
                segment->offset);
  }
  return std::string(
      ByteReader(bytes_, header_.order, path_).c_string(segment->offset, "the interpreter's name"));
}

std::vector<DynamicEntry> File::dynamic() const {
  const Segment* segment = find_segment(kSegmentDynamic);
  if (segment == nullptr) return {};
  const ByteReader reader(bytes_.subspan(segment->offset, segment->filesz), header_.order, path_);
  const Layout layout(reader, header_.is_64bit);
  const std::uint64_t word = header_.is_64bit ? 8 : 4;
  std::vector<DynamicEntry> entries;
  for (std::uint64_t at = 0; in_bounds(at, 2 * word, reader.size()); at += 2 * word) {
    const DynamicEntry entry{layout.word(at, "d_tag"), layout.word(at + word, "d_val")};
    if (entry.tag == kDynamicNull) return entries;
    entries.push_back(entry);
  }
  throw Error(ErrorKind::malformed, path_, "the dynamic section does not end in DT_NULL",
              segment->offset);
}

std::vector<std::string> File::dynamic_strings(std::uint64_t tag) const {
  const std::vector<DynamicEntry> entries = dynamic();
  const auto value_of = [&](std::uint64_t wanted) -> std::optional<std::uint64_t> {
    for (const DynamicEntry& e : entries) {
      if (e.tag == wanted) return e.value;
    }
    return std::nullopt;
  };
  constexpr std::size_t kMaxTotal = std::size_t{1} << 20;
  std::size_t total = 0;
  std::vector<std::string> strings;
  for (const DynamicEntry& entry : entries) {
    if (entry.tag != tag) continue;
    const auto table = value_of(kDynamicStrTab);
    const auto size = value_of(kDynamicStrSize);
    const auto offset = table && size ? offset_of(*table, *size) : std::nullopt;
    if (!offset || entry.value >= *size) {
      throw Error(ErrorKind::malformed, path_,
                  "a string of the dynamic section is outside its string table",
                  find_segment(kSegmentDynamic)->offset);
    }
    const ByteReader names(bytes_.subspan(*offset, *size), header_.order, path_);
    strings.emplace_back(names.c_string(entry.value, "a string of the dynamic section"));
    total += strings.back().size() + 1;
    if (total > kMaxTotal) {
      throw Error(ErrorKind::malformed, path_,
                  "the strings of the dynamic section add up to more than 1 MiB",
                  find_segment(kSegmentDynamic)->offset);
    }
  }
  return strings;
}

std::vector<Note> File::notes() const {
  std::vector<Note> notes;
  for (const Segment& segment : segments_) {
    if (segment.type != kSegmentNote) continue;
    const ByteReader reader(bytes_.subspan(segment.offset, segment.filesz), header_.order, path_);
    // Linux aligns names and descriptors to 4 bytes except in segments that say 8
    // (.note.gnu.property).
    const std::uint64_t align = segment.align == 8 ? 8 : 4;
    std::uint64_t at = 0;
    while (in_bounds(at, 12, reader.size())) {
      const std::uint64_t name_size = reader.u32(at, "n_namesz");
      const std::uint64_t desc_size = reader.u32(at + 4, "n_descsz");
      const std::uint32_t type = reader.u32(at + 8, "n_type");
      const std::uint64_t name_at = at + 12;
      const std::uint64_t desc_at = align_up(name_at + name_size, align);
      if (!in_bounds(name_at, name_size, reader.size()) ||
          !in_bounds(desc_at, desc_size, reader.size())) {
        break;
      }
      const ByteView owner_bytes = reader.bytes().subspan(name_at, name_size);
      std::string owner(as_text(owner_bytes));
      while (!owner.empty() && owner.back() == '\0') owner.pop_back();
      notes.push_back({.owner = std::move(owner),
                       .owner_bytes = owner_bytes,
                       .type = type,
                       .offset = segment.offset + desc_at,
                       .descriptor = reader.bytes().subspan(desc_at, desc_size)});
      at = align_up(desc_at + desc_size, align);
    }
  }
  return notes;
}

std::uint32_t File::gnu_property(std::uint32_t type) const {
  const std::uint64_t word = header_.is_64bit ? 8 : 4;
  for (const Note& note : notes()) {
    if (note.owner != "GNU" || note.type != kNoteGnuProperty) continue;
    const ByteReader reader(note.descriptor, header_.order, path_);
    for (std::uint64_t at = 0; in_bounds(at, 8, reader.size());) {
      const std::uint32_t found = reader.u32(at, "a property"), size = reader.u32(at + 4, "a size");
      if (found == type && size >= 4 && in_bounds(at + 8, 4, reader.size())) {
        return reader.u32(at + 8, "a property's bits");
      }
      at += 8 + align_up(size, word);
    }
  }
  return 0;
}

bool File::claims_too_much() const {
  constexpr std::uint64_t kMostTimes = 8, kAlwaysAllowed = std::uint64_t{16} << 20;
  std::uint64_t total = 0;
  for (const Segment& s : segments_) total += s.filesz;  // each at most the file's size
  return total > std::max<std::uint64_t>(kAlwaysAllowed, bytes_.size() * kMostTimes);
}

std::optional<std::uint64_t> File::offset_of(std::uint64_t vaddr, std::uint64_t length) const {
  for (const Segment& s : segments_) {
    if (s.type == kSegmentLoad && vaddr >= s.vaddr &&
        in_bounds(vaddr - s.vaddr, length, s.filesz)) {
      return s.offset + (vaddr - s.vaddr);
    }
  }
  return std::nullopt;
}

}  // namespace whittle::elf
