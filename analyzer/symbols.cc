// SPDX-License-Identifier: MIT
//
// The number of dynamic symbols stands nowhere: loaders find symbols through hash tables. Where
// section headers are left, .dynsym's tells. Otherwise we use what every linker does: the string
// table follows the symbol table.
#include "analyzer/symbols.h"

#include <algorithm>
#include <optional>

#include "common/error.h"

namespace whittle::analyzer {
namespace {

enum : std::uint64_t {
  kDynamicSymTab = 6,
  kDynamicVerSym = 0x6ffffff0,
  kDynamicVerNeed = 0x6ffffffe,
  kDynamicVerNeedNum = 0x6fffffff,
};
constexpr std::uint32_t kSectionDynSym = 11;
constexpr std::uint64_t kMaxSymbols = 4'000'000;
constexpr std::size_t kMaxName = 8192;  // names may share bytes: bounds the time for all of them

// The string at `offset` of a string table, empty where there is none.
std::string_view string_at(ByteView table, std::uint64_t offset) {
  if (offset >= table.size()) return {};
  const std::string_view rest = as_text(table.subspan(offset)).substr(0, kMaxName);
  return rest.substr(0, rest.find('\0'));
}

std::vector<Symbol> read_table(const elf::File& file, ByteView table, ByteView names) {
  const bool wide = file.header().is_64bit;
  const std::uint64_t size = wide ? 24 : 16;
  const ByteReader reader(table, file.header().order, file.path());
  const std::uint64_t count = std::min(reader.size() / size, kMaxSymbols);
  std::vector<Symbol> symbols;
  symbols.reserve(count);
  for (std::uint64_t i = 0; i < count; i++) {
    const std::uint64_t at = i * size;
    Symbol symbol;
    symbol.name = string_at(names, reader.u32(at, "st_name"));
    const std::uint64_t info = at + (wide ? 4 : 12);
    symbol.type = reader.u8(info, "st_info") & 0xf;
    symbol.is_local = reader.u8(info, "st_info") >> 4 == 0;
    symbol.defined = reader.u16(info + 2, "st_shndx") != 0;
    symbol.value = wide ? reader.u64(at + 8, "st_value") : reader.u32(at + 4, "st_value");
    symbol.size = wide ? reader.u64(at + 16, "st_size") : reader.u32(at + 8, "st_size");
    symbols.push_back(symbol);
  }
  return symbols;
}

ByteView bytes_of(const elf::File& file, const elf::Section& section) {
  return section.has_bytes() ? file.bytes().subspan(section.offset, section.size) : ByteView();
}

// Values of the dynamic section, and the bytes that its addresses lead to.
class Dynamic {
 public:
  explicit Dynamic(const elf::File& file) : file_(file) {
    try {
      entries_ = file.dynamic();
    } catch (const Error&) {  // the verdict has told
    }
  }

  std::optional<std::uint64_t> value(std::uint64_t tag) const {
    for (const elf::DynamicEntry& entry : entries_) {
      if (entry.tag == tag) return entry.value;
    }
    return std::nullopt;
  }
  // The file's bytes from an address to the end of its segment's.
  ByteView from(std::uint64_t vaddr) const {
    for (const elf::Segment& s : file_.segments()) {
      if (s.type == elf::kSegmentLoad && vaddr >= s.vaddr && vaddr - s.vaddr < s.filesz) {
        const std::uint64_t skip = vaddr - s.vaddr;
        return file_.bytes().subspan(s.offset + skip, s.filesz - skip);
      }
    }
    return {};
  }
  ByteView at(std::uint64_t tag) const {
    const auto vaddr = value(tag);
    return vaddr ? from(*vaddr) : ByteView();
  }
  ByteView strings() const {
    const ByteView bytes = at(elf::kDynamicStrTab);
    return bytes.first(
        std::min<std::uint64_t>(bytes.size(), value(elf::kDynamicStrSize).value_or(0)));
  }
  ByteView symbols() const {
    const auto vaddr = value(kDynamicSymTab);
    if (!vaddr) return {};
    for (const elf::Section& section : file_.sections()) {
      if (section.type == kSectionDynSym && section.addr == *vaddr) {
        return bytes_of(file_, section);
      }
    }
    const ByteView bytes = from(*vaddr);
    const std::uint64_t strings = value(elf::kDynamicStrTab).value_or(0);
    if (strings <= *vaddr) return {};
    return bytes.first(std::min<std::uint64_t>(bytes.size(), strings - *vaddr));
  }

 private:
  const elf::File& file_;
  std::vector<elf::DynamicEntry> entries_;
};

}  // namespace

std::vector<Symbol> read_symbols(const elf::File& file) {
  for (const elf::Section& section : file.sections()) {
    if (section.type != elf::kSectionSymTab || section.link >= file.sections().size()) continue;
    return read_table(file, bytes_of(file, section), bytes_of(file, file.sections()[section.link]));
  }
  return {};
}

std::vector<Symbol> read_dynamic_symbols(const elf::File& file) {
  const Dynamic dynamic(file);
  std::vector<Symbol> symbols = read_table(file, dynamic.symbols(), dynamic.strings());
  const ByteReader versions(dynamic.at(kDynamicVerSym), file.header().order, file.path());
  for (std::uint64_t i = 0; i < symbols.size() && in_bounds(2 * i, 2, versions.size()); i++) {
    symbols[i].version = versions.u16(2 * i, "a symbol's version") & 0x7fff;
  }
  return symbols;
}

std::vector<NeededVersion> read_needed_versions(const elf::File& file) {
  constexpr std::uint64_t kMaxVersions = 10'000;
  const Dynamic dynamic(file);
  const ByteReader reader(dynamic.at(kDynamicVerNeed), file.header().order, file.path());
  const ByteView names = dynamic.strings();
  std::uint64_t libraries = dynamic.value(kDynamicVerNeedNum).value_or(0);
  std::vector<NeededVersion> versions;
  // Each step goes forwards, so damaged links end at the end of the table.
  for (std::uint64_t at = 0; libraries-- > 0 && in_bounds(at, 16, reader.size());) {
    const std::string_view library = string_at(names, reader.u32(at + 4, "vn_file"));
    std::uint64_t entry = at + reader.u32(at + 8, "vn_aux");
    for (std::uint16_t left = reader.u16(at + 2, "vn_cnt");
         left > 0 && in_bounds(entry, 16, reader.size()); left--) {
      if (versions.size() >= kMaxVersions) return versions;
      versions.push_back({library, string_at(names, reader.u32(entry + 8, "vna_name")),
                          reader.u16(entry + 6, "vna_other")});
      const std::uint32_t next = reader.u32(entry + 12, "vna_next");
      if (next == 0) break;
      entry += next;
    }
    const std::uint32_t next = reader.u32(at + 12, "vn_next");
    if (next == 0) break;
    at += next;
  }
  return versions;
}

}  // namespace whittle::analyzer
