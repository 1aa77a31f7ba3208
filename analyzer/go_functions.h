// SPDX-License-Identifier: MIT
//
// The table of a Go program's functions (pclntab, "program counter to line"). The runtime needs it
// for stack traces and the garbage collector, so it outlives stripping: every Go program names its
// functions.
//
// Source: Go's debug/gosym and cmd/link packages. A table begins with a magic number that says
// which Go wrote it:
//
//   fffffffb  1.2    offsets from the table's start; addresses are words
//   fffffffa  1.16   names and functions are tables of their own; addresses are words
//   fffffff0  1.18   addresses are 32-bit distances from the start of the code
//   fffffff1  1.20
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/elf.h"

namespace whittle::analyzer {

struct GoFunction {
  std::string_view name;      // "net/http.(*Client).do", into the file's bytes
  std::uint64_t address = 0;  // virtual
  std::uint64_t size = 0;     // bytes up to the next function
  std::uint64_t record = 0;   // offset in the table of what it says about the function
  // The table knows its lines. Of code that the C compiler made and Go's linker took in there is an
  // address and a name only.
  bool has_lines = true;
};

// Where things stand in a table, in bytes from its start, ascending, and how long they are.
struct GoTableLayout {
  bool has_parts = false;  // since Go 1.16; else names, units, files and pcs mean nothing
  std::uint64_t names = 0;
  std::uint64_t units = 0;        // of compilation: for each file the offset of its name, 32 bits
  std::uint64_t files = 0;        // their names
  std::uint64_t pcs = 0;          // values by program counter: "pc tables"
  std::uint64_t functions = 0;    // the list of them: address and record
  std::uint64_t field = 0;        // bytes of an address, or a record's offset, in the list
  std::uint64_t record = 0;       // bytes of a record without the two lists at its end
  std::uint64_t record_data = 0;  // bytes of an entry of the second of these lists
  bool may_hold_data = false;     // that the second list leads to: since Go 1.26
  std::uint64_t word = 0;         // of the machine, in bytes; records begin at multiples of it
};

struct GoFunctionTable {
  std::uint64_t offset = 0;  // of the table in the file
  std::uint64_t size = 0;    // bytes; up to the end of its segment where no section header tells
  std::uint64_t names_offset = 0;     // in the file
  std::string_view names;             // all names, each after a NUL: inlined functions too
  std::vector<GoFunction> functions;  // by address
  GoTableLayout layout;
};

// Nothing where the file has no table that can be read. Never throws on any content.
std::optional<GoFunctionTable> read_go_functions(const elf::File& file);

// True where something in the file has a table's header, whatever follows it.
bool has_go_functions(const elf::File& file);

}  // namespace whittle::analyzer
