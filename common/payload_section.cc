// SPDX-License-Identifier: MIT
#include "common/payload_section.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace whittle::elf {
namespace {

// Sections that are not loaded, of type PROGBITS, NOTE or one of their own. Sources: the manuals of
// GNU as, ld, gdb, objcopy, annobin and SystemTap; LLVM's "Extensions"; the psABIs; GHC.
constexpr auto kOfTools = std::to_array<std::string_view>({
    ".ARM.attributes",
    ".BTF",
    ".BTF.ext",
    ".GCC.command.line",
    ".PPC.EMB.apuinfo",
    ".SUNW_ctf",
    ".comment",
    ".ctf",
    ".debug-ghc-link-info",
    ".deplibs",
    ".dep-v0",  // the crates of a Rust program; `strip` and `pack` keep it by themselves
    ".gdb_index",
    ".gnu.attributes",
    ".gnu.build.attributes",
    ".gnu_debugaltlink",
    ".gnu_debugdata",
    ".gnu_debuglink",
    ".ident",
    ".linker-options",
    ".llvm.call-graph-profile",
    ".llvm.embedded.object",
    ".llvm_addrsig",
    ".llvm_bb_addr_map",
    ".llvmbc",
    ".llvmcmd",
    ".mdebug",
    ".mdebug.abi32",
    ".mdebug.abi64",
    ".mdebug.abiN32",
    ".mdebug.eabi64",
    ".note.ABI-tag",
    ".note.GNU-stack",
    ".note.bolt_info",
    ".note.gnu.build-id",
    ".note.gnu.gold-version",
    ".note.gnu.property",
    ".note.go.buildid",
    ".note.package",
    ".note.rustc",
    ".note.stapsdt",
    ".pdr",
    ".riscv.attributes",
    ".rustc",
    ".stab",
    ".stab.index",
    ".stabstr",
    ".swift1_autolink_entries",
});

// What follows ".debug_" or ".zdebug_". Sources: DWARF 2 to 5, with GNU's, LLVM's and SGI's
// additions.
constexpr auto kDebug = std::to_array<std::string_view>({
    "abbrev",      "addr",         "aranges",      "cu_index", "frame",    "funcnames",
    "gdb_scripts", "gnu_pubnames", "gnu_pubtypes", "info",     "line",     "line_str",
    "loc",         "loclists",     "macinfo",      "macro",    "names",    "pubnames",
    "pubtypes",    "ranges",       "rnglists",     "sfnames",  "srcinfo",  "static_func",
    "static_vars", "str",          "str_offsets",  "sup",      "tu_index", "typenames",
    "types",       "varnames",     "weaknames",
});

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_debug_name(std::string_view name) {
  for (const std::string_view prefix : {".debug_", ".zdebug_"}) {
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    if (name.ends_with(".dwo")) name.remove_suffix(4);
    return is_one_of(name, kDebug);
  }
  return false;
}

// File ranges of the segments that are loaded; a hostile file may have thousands of them.
class LoadedRanges {
 public:
  explicit LoadedRanges(const File& file) {
    for (const Segment& s : file.segments()) {
      if (s.type == kSegmentLoad) ends_.emplace_back(s.offset, s.file_end());
    }
    std::sort(ends_.begin(), ends_.end());
    for (std::size_t i = 1; i < ends_.size(); i++) {
      ends_[i].second = std::max(ends_[i].second, ends_[i - 1].second);
    }
  }
  // Whether one segment loads all of the section.
  bool contain(const Section& section) const {
    const auto after =
        std::upper_bound(ends_.begin(), ends_.end(), std::pair(section.offset, UINT64_MAX));
    return after != ends_.begin() && (after - 1)->second >= section.offset + section.size;
  }

 private:
  // Offset, and the end of the segment that reaches furthest of those that begin at or before it.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ends_;
};

// Indexes of the sections that hold the strings of a symbol table, or the names of sections.
std::set<std::size_t> string_tables(const File& file) {
  std::set<std::size_t> tables = {file.header().shstrndx};
  for (const Section& section : file.sections()) {
    if (section.type == kSectionSymTab) tables.insert(section.link);
  }
  return tables;
}

// Relocations of a section that exists, as `ld --emit-relocs` leaves them.
bool is_relocations(const File& file, const Section& section) {
  const std::string_view prefix = section.type == kSectionRela ? ".rela" : ".rel";
  const std::string_view name = section.name;
  return section.info != 0 && section.info < file.sections().size() && name.starts_with(prefix) &&
         name.substr(prefix.size()) == file.sections()[section.info].name;
}

// The message that a linker prints when a program uses a symbol, in a section named after the
// symbol. GNU ld leaves such sections out, LLVM's linker copies them from the C library.
bool is_linker_warning(const File& file, const Section& section) {
  constexpr std::uint64_t kLongest = 1024;
  if (!section.name.starts_with(".gnu.warning.") || section.size > kLongest) return false;
  ByteView message = file.bytes().subspan(section.offset, section.size);
  while (!message.empty() && message.back() == 0) message = message.first(message.size() - 1);
  return std::all_of(message.begin(), message.end(),
                     [](std::uint8_t c) { return (c >= ' ' && c < 0x7f) || c == '\n'; });
}

bool is_named_as_tools_do(const Section& section) {
  const std::string_view name = section.name;
  return is_one_of(name, kOfTools) || is_debug_name(name) ||
         (section.type == kSectionNote && name.starts_with(".gnu.build.attributes."));
}

}  // namespace

const Section* find_payload_section(const File& file) {
  const LoadedRanges loaded(file);
  const std::set<std::size_t> strings = string_tables(file);
  const std::vector<Section>& sections = file.sections();
  for (std::size_t i = 0; i < sections.size(); i++) {
    const Section& section = sections[i];
    if (!section.has_bytes() || section.size == 0 || loaded.contain(section)) continue;
    switch (section.type) {
      case kSectionSymTab:
      case kSectionSymTabIndexes:
        continue;
      case kSectionStrTab:
        if (strings.contains(i) || section.name == ".stabstr") continue;
        return &section;
      case kSectionRela:
      case kSectionRel:
        if (is_relocations(file, section)) continue;
        return &section;
      default:
        if (is_named_as_tools_do(section) || is_linker_warning(file, section)) continue;
        return &section;
    }
  }
  return nullptr;
}

}  // namespace whittle::elf
