// SPDX-License-Identifier: MIT
//
// Symbols, read with every offset checked. A static program names its functions in .symtab until
// it is stripped; a dynamic one names what it takes from libraries in .dynsym for good, and says in
// its version needs (DT_VERNEED) how new each library has to be.
//
// Source: System V ABI, chapter 4 "Symbol Table"; Linux Standard Base 5, "Symbol Versioning".
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/elf.h"

namespace whittle::analyzer {

enum : std::uint8_t { kSymbolNoType = 0, kSymbolObject = 1, kSymbolFunction = 2, kSymbolFile = 4 };

struct Symbol {
  std::string_view name;  // into the file's bytes
  std::uint64_t value = 0, size = 0;
  std::uint8_t type = 0;
  bool defined = false;
  bool is_local = false;      // seen in its own file only; listed after the name of that file
  std::uint16_t version = 0;  // index of DT_VERSYM; 0 and 1 stand for none
};

// The entries of .symtab, in their order. Empty where there is none or it cannot be read. Never
// throws on any content.
std::vector<Symbol> read_symbols(const elf::File& file);

// The entries of the dynamic symbol table that the dynamic section leads to. As above.
std::vector<Symbol> read_dynamic_symbols(const elf::File& file);

struct NeededVersion {
  std::string_view library;  // "libc.so.6"
  std::string_view name;     // "GLIBC_2.34"
  std::uint16_t index = 0;   // what `Symbol::version` says
};

// DT_VERNEED, in the order of the file. As above.
std::vector<NeededVersion> read_needed_versions(const elf::File& file);

}  // namespace whittle::analyzer
