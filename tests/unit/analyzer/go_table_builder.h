// SPDX-License-Identifier: MIT
//
// Makes small Go function tables of each layout since Go 1.16, part by part as Go's linker writes
// them: header, names, units, files, pc tables, list of functions, records.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/unit/common/elf_builder.h"

namespace whittle::test {

struct GoTableForm {
  const char* name;
  std::uint32_t magic;
  bool is_64bit;
  ByteOrder order;
};

inline constexpr GoTableForm kGoTableForms[] = {
    {"go1_16", 0xfffffffa, true, ByteOrder::little},
    {"go1_16_32bit", 0xfffffffa, false, ByteOrder::little},
    {"go1_18", 0xfffffff0, true, ByteOrder::little},
    {"go1_18_32bit_big", 0xfffffff0, false, ByteOrder::big},
    {"go1_20", 0xfffffff1, true, ByteOrder::little},
    {"go1_20_big", 0xfffffff1, true, ByteOrder::big},
};

struct GoTableFunction {
  std::string name;
  std::uint64_t address = 0;
  std::array<std::uint32_t, 3> pc_tables = {};  // offsets in the pc tables
  std::vector<std::uint32_t> pcdata = {};       // likewise
  std::vector<std::uint32_t> data = {};
  std::uint32_t unit = 0xffffffff;  // index in the units
};

struct GoTable {
  explicit GoTable(const GoTableForm& chosen) : form(chosen) {}

  GoTableForm form;
  std::vector<std::string> inlined;  // names that no record has
  std::vector<std::uint32_t> units;  // offsets in the files
  std::string files;
  std::string pcs = std::string(1, '\0');
  std::vector<GoTableFunction> functions;
  std::uint64_t end = 0;  // address behind the last function
  std::string behind;     // the records

  // The table, and where its parts and records came to be.
  struct Built {
    std::string bytes;
    std::uint64_t names = 0, units = 0, files = 0, pcs = 0, functions = 0;
    std::vector<std::uint64_t> records;
  };

  Built build() const {
    Built out;
    const unsigned word = form.is_64bit ? 8 : 4;
    const bool go116 = form.magic == 0xfffffffa;
    const std::uint64_t start = go116 ? 0 : functions.front().address;
    const unsigned field = go116 ? word : 4;
    const auto patch = [&](std::uint64_t at, unsigned width, std::uint64_t value) {
      for (unsigned i = 0; i < width; i++) {
        const unsigned shift = form.order == ByteOrder::little ? i : width - 1 - i;
        out.bytes.at(at + i) = static_cast<char>(value >> (8 * shift));
      }
    };
    const auto number = [&](unsigned width, std::uint64_t value) {
      out.bytes.resize(out.bytes.size() + width);
      patch(out.bytes.size() - width, width, value);
    };
    const auto align = [&] { out.bytes.resize(align_up(out.bytes.size(), word)); };
    number(4, form.magic);
    out.bytes += std::string("\0\0\1", 3) + static_cast<char>(word);
    number(word, functions.size());
    number(word, 0);
    if (!go116) number(word, start);
    const std::uint64_t offsets = out.bytes.size();
    out.bytes.resize(offsets + 5 * word);

    std::vector<std::uint64_t> names;
    out.names = out.bytes.size();
    for (const GoTableFunction& function : functions) {
      names.push_back(out.bytes.size() - out.names);
      out.bytes += function.name + '\0';
    }
    for (const std::string& name : inlined) out.bytes += name + '\0';
    align();
    out.units = out.bytes.size();
    for (const std::uint32_t unit : units) number(4, unit);
    align();
    out.files = out.bytes.size();
    out.bytes += files;
    align();
    out.pcs = out.bytes.size();
    out.bytes += pcs;
    align();
    out.functions = out.bytes.size();
    out.bytes.resize(out.bytes.size() + (2 * functions.size() + 1) * field);
    for (std::size_t i = 0; i < functions.size(); i++) {
      const GoTableFunction& function = functions[i];
      align();
      out.records.push_back(out.bytes.size());
      patch(out.functions + 2 * i * field, field, function.address - start);
      patch(out.functions + (2 * i + 1) * field, field, out.bytes.size() - out.functions);
      number(field, function.address - start);
      number(4, names[i]);
      number(4, 0);  // arguments
      number(4, 0);  // deferreturn
      for (const std::uint32_t table : function.pc_tables) number(4, table);
      number(4, function.pcdata.size());
      number(4, function.unit);
      if (form.magic == 0xfffffff1) number(4, 1);  // line
      out.bytes += std::string(3, '\0') + static_cast<char>(function.data.size());
      for (const std::uint32_t table : function.pcdata) number(4, table);
      if (go116 && !function.data.empty()) align();
      for (const std::uint32_t data : function.data) number(go116 ? word : 4, data);
    }
    patch(out.functions + 2 * functions.size() * field, field, end - start);
    const std::uint64_t parts[] = {out.names, out.units, out.files, out.pcs, out.functions};
    for (unsigned i = 0; i < 5; i++) patch(offsets + i * word, word, parts[i]);
    out.bytes += behind;
    return out;
  }
};

// A program that has the table as its data, and no section headers.
inline ElfImage elf_image_with(const GoTable& table) {
  ElfSpec spec;
  spec.is_64bit = table.form.is_64bit;
  spec.order = table.form.order;
  spec.data = table.build().bytes;
  return build(spec);
}
inline Bytes elf_with(const GoTable& table) { return elf_image_with(table).bytes; }

}  // namespace whittle::test
