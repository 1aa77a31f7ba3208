// SPDX-License-Identifier: MIT
//
// Reading Go's function table (pclntab, Go 1.18 and later; src/runtime/symtab.go and
// cmd/link/internal/ld/pcln.go): the functions it lists, their tables of values by pc, and where in
// the bytes around it the things stand that it points to. No section says where a stripped program
// keeps them, so they are recognised by what they must hold.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "packer/stub/transforms/go_model.h"

namespace whittle::packer::go {

// Thrown for a table that is not what Go's linker writes, at the first offset that says so. `why`
// completes "the table ..." or, once `function` is known, "function N ...".
struct NotSplit {
  std::string_view why;
  std::uint32_t function = stub::kNowhere;  // index in functab
};
inline void require(bool condition, std::string_view why) {
  if (!condition) throw NotSplit{why};
}

// One run of a pc table: from `pc` on, in units of the smallest instruction, the value is `value`.
struct Run {
  std::uint32_t pc, value;
};
struct PcTable {
  std::vector<Run> runs;
  std::uint32_t length = 0;  // pc where the last run ends
  std::uint32_t size = 0;    // bytes
};

struct Function {
  std::uint32_t offset = 0;  // in the table
  std::uint32_t entry = 0, name = 0, arguments = 0, deferreturn = 0, unit = 0, start_line = 0;
  std::uint32_t id = 0, flag = 0;
  std::vector<std::uint32_t> tables;  // offsets: pcsp, pcfile, pcln, pcdata
  std::vector<std::uint32_t> data;
};

// The table as a list of functions; all of its methods throw NotSplit.
class Parsed {
 public:
  // `bytes` begin with the table, at an address that is a multiple of 4, and outlive this.
  explicit Parsed(ByteView bytes);

  std::uint32_t word(std::uint64_t offset) const;
  const PcTable& pc_table(std::uint32_t offset) const;
  // Bytes of the name at `offset` with its zero.
  std::uint32_t name_size(std::uint32_t offset) const;
  // "function 7 (main.main)", or "the table" where the index is of none. Never throws.
  std::string describe(std::uint32_t function) const;

  ByteView table;
  stub::GoHeader header;
  std::vector<Function> functions;
  std::uint32_t functions_end = 0;  // offset
  std::uint32_t end_entry = 0;      // where the code of the last one ends

 private:
  Function read_function(std::uint32_t index, std::uint32_t from) const;
  std::uint32_t varint(std::uint32_t& at) const;

  mutable std::map<std::uint32_t, PcTable> pc_tables_;  // by offset, those asked for so far
  mutable std::uint64_t pc_table_bytes_ = 0;
};

// The function of each 256 bytes of code, as the linker's findfunctab says it.
Bytes find_functions(const Parsed& parsed);

// Nodes in the inlining tree of a function: as many as its table of indexes speaks of.
std::uint32_t tree_size(const Parsed& parsed, const Function& function);
bool has_tree(const Function& function);

// A table and what belongs to it, in offsets of the bytes around it.
struct Located {
  std::uint32_t table = 0;
  std::uint32_t go_func = stub::kNowhere, find_func = stub::kNowhere;
  std::uint32_t begin = 0, end = 0;  // of all that
};

// Calls `use` for each table until it returns true. A table for which it throws NotSplit is passed
// by; `on_failure`, if given, gets the offset of its header and the reason. The bytes begin at an
// address that is a multiple of 4.
void for_each_table(ByteView bytes, const std::function<bool(const Parsed&, const Located&)>& use,
                    const std::function<void(std::uint64_t, std::string)>& on_failure = {});

}  // namespace whittle::packer::go
