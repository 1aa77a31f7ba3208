// SPDX-License-Identifier: MIT
//
// Strip by truncation. The kernel runs a program from its ELF header, program headers and
// segments; symbol tables, debug information and section headers come after them and are dropped
// with one cut. Nothing that is loaded moves or changes, so there is nothing to get wrong: no
// segment is laid out anew, which is where general ELF writers (and strip's own relayout for
// machines that it does not know) break programs.
//
//   before  [header, segments .......... ][symbols, debug, section headers]
//   after   [header, segments .......... ]
//
// A file with something appended after all that (an archive, a payload) stays as it is: programs
// find such bytes by an offset, from the start or from the end, and a cut before them would move
// them. So does a file with a section of the author's own (common/payload_section.h).
//
// e_shoff, e_shnum and e_shstrndx become 0, "no section headers". e_shentsize keeps its value: it
// is the size of an entry, true of a table of none, and strict readers compare it to what they
// expect before they look at the count.
//
// One thing that only a section header finds is worth keeping: .dep-v0, the list of crates that
// cargo-auditable puts into a Rust program and that vulnerability scanners read. Where there is
// one, a table of that section alone is written after the cut (and its bytes, where no segment has
// them).
//
// Go's linker puts the section header table between the program headers and the code, inside the
// first loaded segment. Nothing can be cut there, but zeroes compress to nothing. The table is
// zeroed only if everything indicates that it is a table and nothing else: readable, before all
// sections and all other segments. A table anywhere else in loaded bytes is left alone.
#include <fmt/format.h>

#include <algorithm>

#include "analyzer/analyzer.h"
#include "analyzer/verdict.h"
#include "common/error.h"
#include "common/extent.h"
#include "common/payload_section.h"
#include "common/section_table.h"

namespace whittle::analyzer {
namespace {

struct Range {
  std::uint64_t offset = 0, length = 0;
  std::uint64_t end() const { return offset + length; }
};

// The section header table where it is loaded with the program and may be zeroed; else empty.
Range zeroable_table(const elf::File& file) {
  const elf::Header& header = file.header();
  if (file.sections().empty()) return {};
  const Range table{header.shoff, file.sections().size() * header.shentsize};
  const std::uint64_t headers_end = std::max<std::uint64_t>(
      header.is_64bit ? 64 : 52, header.phoff + std::uint64_t{header.phnum} * header.phentsize);
  if (table.offset < headers_end) return {};
  const auto overlaps = [&](std::uint64_t offset, std::uint64_t length) {
    return length != 0 && offset < table.end() && table.offset < offset + length;
  };
  bool loaded = false;
  for (const elf::Segment& s : file.segments()) {
    if (s.type == elf::kSegmentLoad && s.offset == 0 && table.end() <= s.filesz) {
      const std::uint64_t vaddr = s.vaddr + table.offset;
      if (header.entry >= vaddr && header.entry - vaddr < table.length) return {};
      loaded = true;
    } else if (overlaps(s.offset, s.filesz)) {
      return {};
    }
  }
  bool any_section = false;
  for (const elf::Section& s : file.sections()) {
    if (!s.has_bytes() || s.size == 0) continue;
    if (s.offset < table.end()) return {};
    any_section = true;
  }
  return loaded && any_section ? table : Range{};
}

const elf::Section* find_crates(const elf::File& file) {
  const elf::Section* section = file.find_section(".dep-v0");
  const bool sound = section != nullptr && section->has_bytes() && section->size != 0 &&
                     section->offset >= 64;  // not in the ELF header
  return sound ? section : nullptr;
}

// Writes a number of `width` bytes in the file's byte order.
void put(Bytes& bytes, const elf::Header& header, std::size_t offset, std::size_t width,
         std::uint64_t value) {
  for (std::size_t i = 0; i < width; i++) {
    const std::size_t byte = header.order == ByteOrder::little ? i : width - 1 - i;
    bytes[offset + i] = static_cast<std::uint8_t>(value >> (8 * byte));
  }
}

// Makes `section` of `file` the only section of `bytes`.
void keep_section(const elf::File& file, const elf::Section& section, Bytes& bytes) {
  const elf::Header& header = file.header();
  elf::SectionEntry entry{.name = section.name,
                          .type = section.type,
                          .flags = section.flags,
                          .addr = section.addr,
                          .offset = section.offset,
                          .size = section.size};
  if (!in_bounds(section.offset, section.size, bytes.size())) {
    entry.offset = bytes.size();
    const ByteView content = file.bytes().subspan(section.offset, section.size);
    bytes.insert(bytes.end(), content.begin(), content.end());
  }
  const std::uint64_t names_offset = bytes.size();
  const Bytes names = elf::section_names({entry});
  bytes.insert(bytes.end(), names.begin(), names.end());
  bytes.resize(align_up(bytes.size(), 8));
  const std::uint64_t table_offset = bytes.size();
  const Bytes table = elf::section_headers({entry}, names_offset, header);
  bytes.insert(bytes.end(), table.begin(), table.end());
  put(bytes, header, header.is_64bit ? 40 : 32, header.is_64bit ? 8 : 4, table_offset);  // e_shoff
  put(bytes, header, header.is_64bit ? 60 : 48, 2, 3);                                   // e_shnum
  put(bytes, header, header.is_64bit ? 62 : 50, 2, 2);  // e_shstrndx
}

void clear_section_fields(Bytes& bytes, bool is_64bit) {
  const auto clear = [&](std::size_t offset, std::size_t length) {
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), length, std::uint8_t{0});
  };
  clear(is_64bit ? 40 : 32, is_64bit ? 8 : 4);  // e_shoff
  clear(is_64bit ? 60 : 48, 2);                 // e_shnum
  clear(is_64bit ? 62 : 50, 2);                 // e_shstrndx
}

Verdict verdict_on(const elf::File& file) { return judge(file, elf::system_of(file)); }

// The result is read back and compared with the input, byte by byte: all that the program headers
// speak of is what it was, apart from the fields and the table that were zeroed.
void check_result(const elf::File& before, ByteView result, const Range& zeroed,
                  const elf::Section* kept, std::uint64_t loaded, std::string_view path) {
  const auto require = [&](bool condition, std::string_view what) {
    if (!condition) {
      throw Error(ErrorKind::internal, path,
                  fmt::format("the stripped program is not the same program: {}; this is a bug in "
                              "whittle, nothing was written",
                              what));
    }
  };
  const elf::File after = elf::File::parse(result, path);
  if (kept != nullptr) {
    const elf::Section* found = after.find_section(kept->name);
    require(
        found != nullptr && found->size == kept->size &&
            std::equal(result.begin() + static_cast<std::ptrdiff_t>(found->offset),
                       result.begin() + static_cast<std::ptrdiff_t>(found->offset + found->size),
                       before.bytes().begin() + static_cast<std::ptrdiff_t>(kept->offset)),
        "it lost the list of crates");
  } else {
    require(after.sections().empty() && after.header().shoff == 0, "it has section headers");
  }
  require(after.segments().size() == before.segments().size(), "it lost segments");
  Bytes expected(before.bytes().begin(),
                 before.bytes().begin() + static_cast<std::ptrdiff_t>(loaded));
  clear_section_fields(expected, before.header().is_64bit);
  Bytes loaded_bytes(
      result.begin(),
      result.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(loaded, result.size())));
  clear_section_fields(loaded_bytes, before.header().is_64bit);
  std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(zeroed.offset), zeroed.length,
              std::uint8_t{0});
  require(loaded_bytes == expected, "its loaded bytes differ");
  require(verdict_on(after).kind == verdict_on(before).kind, "the verdict on it differs");
}

[[noreturn]] void refuse(std::string_view path, Kind kind, std::string_view why) {
  throw Error(
      ErrorKind::refused, path,
      fmt::format("cannot strip: it is {} ({}), only static executables for Linux are stripped",
                  name(kind), why));
}

}  // namespace

StripResult strip(ByteView bytes, std::string_view path) {
  const elf::File file = elf::File::parse(bytes, path);
  const Verdict verdict = verdict_on(file);
  if (!is_static(verdict.kind)) refuse(path, verdict.kind, verdict.reasons.front().text);

  const elf::Extent extent = elf::measure_extent(file);
  StripResult result;
  const auto keep_all = [&](std::string why) {
    result.bytes.assign(bytes.begin(), bytes.end());
    result.removed = 0;
    result.notes.push_back(std::move(why));
    return result;
  };
  if (!file.section_problem().empty()) {
    return keep_all("nothing removed: the section headers are unreadable (" +
                    file.section_problem() + "), so it is unknown what follows the segments");
  }

  if (extent.overlay != 0) {
    return keep_all(
        fmt::format("nothing removed: {} bytes are appended to the program (an archive?), which it "
                    "may look for at their offset",
                    extent.overlay));
  }

  if (extent.in_gaps != 0) {
    return keep_all(
        fmt::format("nothing removed: {} bytes lie between what the headers describe and are not "
                    "zero; the program may look for them in its own file",
                    extent.in_gaps));
  }
  if (const elf::Section* payload = elf::find_payload_section(file)) {
    return keep_all(
        fmt::format("nothing removed: {} bytes are in a section `{}` that is not loaded, which the "
                    "program may look for in its own file; if it does not, remove them: objcopy "
                    "--remove-section={} FILE",
                    payload->size, payload->name, payload->name));
  }

  result.bytes.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(extent.loaded));
  clear_section_fields(result.bytes, file.header().is_64bit);
  const Range table = zeroable_table(file);
  std::fill_n(result.bytes.begin() + static_cast<std::ptrdiff_t>(table.offset), table.length,
              std::uint8_t{0});
  const elf::Section* crates = find_crates(file);
  if (crates != nullptr) keep_section(file, *crates, result.bytes);
  check_result(file, result.bytes, table, crates, extent.loaded, path);
  if (result.bytes.size() >= bytes.size()) {
    return keep_all("nothing removed: nothing follows the segments");
  }

  result.removed = bytes.size() - result.bytes.size();
  result.notes.push_back(
      fmt::format("removed {} bytes of symbols, debug information and section "
                  "headers after the segments",
                  result.removed));
  if (crates != nullptr) {
    result.notes.push_back("kept .dep-v0, the list of crates that scanners read");
  }
  if (table.length != 0) {
    result.notes.push_back(
        fmt::format("zeroed the section header table of {} bytes inside the "
                    "first segment",
                    table.length));
  }
  return result;
}

}  // namespace whittle::analyzer
