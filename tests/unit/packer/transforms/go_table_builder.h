// SPDX-License-Identifier: MIT
//
// Go's function table as the linker lays it out, for functions made up by a seed.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes.h"

namespace whittle::test {

// Where inlining trees and findfunctab stand: behind the functions since Go 1.26.
enum class GoFuncdata { nowhere, behind, in_front };

struct GoTableSpec {
  std::uint32_t magic = 0xfffffff1;
  std::uint32_t quantum = 1;  // bytes of the smallest instruction
  std::uint32_t functions = 40;
  std::uint64_t seed = 1;
  GoFuncdata funcdata = GoFuncdata::behind;
  bool find_functions = true;
  // Two columns (0 pcsp, 1 pcfile, 2 pcln, 3 + i pcdata i) that are the same table in every third
  // function, as a linker stores equal tables once; the same number twice: none.
  std::size_t same[2] = {0, 0};
};

class GoTableBuilder {
 public:
  explicit GoTableBuilder(const GoTableSpec& spec) : spec_(spec), random_(spec.seed) {}

  Bytes build() {
    std::uint32_t entry = 0;
    std::uint32_t functab_size = 8 * spec_.functions + 4;
    Bytes functab, functions;
    pctab_.push_back(0);
    for (std::uint32_t i = 0; i < spec_.functions; i++) {
      while ((functab_size + functions.size()) % 8 != 0) functions.push_back(0);
      word(functab, entry);
      word(functab, static_cast<std::uint32_t>(functab_size + functions.size()));
      entry = add_function(functions, i, entry);
    }
    word(functab, end_);
    entries_.push_back(end_);

    Bytes in_front;
    if (spec_.funcdata == GoFuncdata::in_front) add_beside(in_front);
    while (in_front.size() % 32 != 0) in_front.push_back(0);
    table_offset_ = in_front.size();

    Bytes table;
    word(table, spec_.magic);
    table.insert(table.end(), {0, 0, static_cast<std::uint8_t>(spec_.quantum), 8});
    while (names_.size() % 32 != 0) names_.push_back(0);
    const Bytes units = {1, 0, 0, 0, 9, 0, 0, 0}, files = Bytes{'a', '.', 'g', 'o', 0, 0, 0, 0};
    while (pctab_.size() % 16 != 0) pctab_.push_back(0);
    std::uint64_t at = 72;
    quad(table, spec_.functions);
    quad(table, 2);
    quad(table, 0x401000);
    for (const std::size_t size : {names_.size(), units.size(), files.size(), pctab_.size()}) {
      quad(table, at);
      at += size;
    }
    quad(table, at);
    for (const Bytes* part : std::initializer_list<const Bytes*>{&names_, &units, &files, &pctab_,
                                                                 &functab, &functions}) {
      table.insert(table.end(), part->begin(), part->end());
    }
    if (spec_.funcdata == GoFuncdata::behind) {
      while (table.size() % 32 != 0) table.push_back(0);
      add_beside(table);
    }
    in_front.insert(in_front.end(), table.begin(), table.end());
    return in_front;
  }

  std::size_t table_offset() const { return table_offset_; }  // in what was built

 private:
  using Runs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;  // from that pc that value
  static constexpr std::size_t kTrees = 5;                            // a column

  static void word(Bytes& to, std::uint32_t value) {
    for (int i = 0; i < 4; i++) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  static void quad(Bytes& to, std::uint64_t value) {
    word(to, static_cast<std::uint32_t>(value));
    word(to, static_cast<std::uint32_t>(value >> 32));
  }
  static void varint(std::string& to, std::uint32_t value) {
    for (; value >= 0x80; value >>= 7) to += static_cast<char>(value | 0x80);
    to += static_cast<char>(value);
  }
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  std::uint32_t name(const std::string& text) {
    const auto [found, is_new] =
        name_offsets_.emplace(text, static_cast<std::uint32_t>(names_.size()));
    if (is_new) names_.insert(names_.end(), text.c_str(), text.c_str() + text.size() + 1);
    return found->second;
  }

  // The offset in pctab; equal tables stand there once.
  std::uint32_t pc_table(const Runs& runs, std::uint32_t length) {
    std::string bytes;
    std::uint32_t value = ~0U;
    for (std::size_t i = 0; i < runs.size(); i++) {
      if (i != 0 && runs[i].second == value) continue;
      if (i != 0) varint(bytes, runs[i].first - last_pc_);
      const std::uint32_t delta = runs[i].second - value;
      varint(bytes, delta << 1 ^ (0 - (delta >> 31)));
      value = runs[i].second;
      last_pc_ = runs[i].first;
    }
    varint(bytes, length - last_pc_);
    bytes += '\0';
    const auto [found, is_new] =
        table_offsets_.emplace(bytes, static_cast<std::uint32_t>(pctab_.size()));
    if (is_new) pctab_.insert(pctab_.end(), bytes.begin(), bytes.end());
    return found->second;
  }

  Runs some_runs(std::uint32_t length, std::uint32_t values) {
    Runs runs;
    for (std::uint32_t pc = 0; pc < length; pc += 1 + below(length / 3 + 1)) {
      runs.emplace_back(pc, below(values) * 8);
    }
    return runs;
  }

  // Returns the next entry.
  std::uint32_t add_function(Bytes& to, std::uint32_t index, std::uint32_t entry) {
    const bool start_lines = spec_.magic == 0xfffffff1;
    const bool wrapper = index % 5 == 4;  // all alike
    const std::uint32_t length = wrapper ? 20 : 5 + below(index % 7 == 6 ? 20000 : 300);
    const std::uint32_t nodes = wrapper ? 0 : below(6), start = wrapper ? 1 : 10 + 50 * index;
    const std::uint32_t own_name = name("example.com/module/package.function" +
                                        std::to_string(index / 2) + (index % 2 ? ".func1" : ""));
    std::vector<std::uint32_t> node_names;
    for (std::uint32_t i = 0; i < nodes; i++) {
      node_names.push_back(name("sync.(*Thing).Method" + std::to_string(below(20))));
    }

    Runs lines, files, trees;
    std::uint32_t line = start;
    for (std::uint32_t pc = 0; pc < length; pc += 1 + (wrapper ? 7 : below(20))) {
      const std::uint32_t slot = nodes != 0 && below(3) == 0 ? below(nodes + 1) : 0;
      line = wrapper ? line + 1 : slot == 0 ? start + below(90) : 1000 * slot + below(8);
      lines.emplace_back(pc, line);
      files.emplace_back(pc, slot % 3);
      trees.emplace_back(pc, slot - 1);
    }
    const Runs depths = wrapper ? Runs{{0, 0}, {4, 8}} : some_runs(length, 5000);
    const std::uint32_t pcdata = nodes != 0 ? 4 : below(3);
    std::vector<Runs> columns = {depths, files, lines};
    for (std::size_t i = 0; i < pcdata; i++) {
      columns.push_back(i == 2 ? trees : some_runs(length, 3));
    }
    const auto [a, b] = spec_.same;
    if (a != b && index % 3 == 0 && a < columns.size() && b < columns.size()) {
      // The indexes of the tree have to stay what they are.
      (a == kTrees ? columns[b] : columns[a]) = columns[a == kTrees ? a : b];
    }
    files = columns[1];
    lines = columns[2];
    std::vector<std::uint32_t> tables(7);
    for (const std::size_t i : {0U, 1U, 2U, 3U, 4U, 6U, 5U}) {
      if (i < columns.size()) tables[i] = pc_table(columns[i], length);
    }

    word(to, entry);
    word(to, own_name);
    word(to, index % 11 == 3 ? 0x80000000 : 8 * below(4));
    word(to, index % 13 == 5 ? length / 2 : 0);
    for (int i = 0; i < 3; i++) word(to, tables[static_cast<std::size_t>(i)]);
    word(to, pcdata);
    word(to, index < 20 ? 0 : 1);
    if (start_lines) word(to, start);
    to.insert(to.end(), {static_cast<std::uint8_t>(index % 3), 1, 0, 4});
    for (std::uint32_t i = 0; i < pcdata; i++) word(to, tables[3 + i]);
    const std::uint32_t map = 0x10000 + 16 * below(5);
    word(to, map);
    word(to, map + 0x1000);
    word(to, ~0U);
    word(to, nodes != 0 ? static_cast<std::uint32_t>(funcdata_.size()) : ~0U);
    for (std::uint32_t i = 0; i < nodes; i++) {
      const std::uint32_t id = below(9) == 0 ? 5 : 0;
      const std::uint32_t pc = below(4) == 0
                                   ? below(length)
                                   : lines[below(static_cast<std::uint32_t>(lines.size()))].first;
      if (start_lines) {
        word(funcdata_, id);
        word(funcdata_, node_names[i]);
        word(funcdata_, pc * spec_.quantum);
        word(funcdata_, 1000 * (i + 1));
      } else {
        word(funcdata_, id << 16 | (value_at(trees, pc) & 0xffff));
        word(funcdata_, value_at(files, pc));
        word(funcdata_, value_at(lines, pc));
        word(funcdata_, node_names[i]);
        word(funcdata_, pc * spec_.quantum);
      }
    }
    for (std::uint32_t i = 4 * below(5); i != 0; i--) funcdata_.push_back('m');

    entries_.push_back(entry);
    end_ = entry + length * spec_.quantum;
    return (end_ + 31) / 32 * 32 + (index == 17 ? 64 : 0);
  }

  static std::uint32_t value_at(const Runs& runs, std::uint32_t pc) {
    std::uint32_t value = 0;
    for (const auto& [from, run_value] : runs) value = from <= pc ? run_value : value;
    return value;
  }

  void add_beside(Bytes& to) const {
    to.insert(to.end(), funcdata_.begin(), funcdata_.end());
    while (to.size() % 8 != 0) to.push_back(0);
    if (spec_.find_functions) add_find_functions(to);
  }

  void add_find_functions(Bytes& table) const {
    const std::uint32_t count = (end_ + 255) / 256;
    std::uint32_t function = 0, base = 0;
    for (std::uint32_t i = 0; i < count; i++) {
      while (function + 1 < spec_.functions && entries_[function + 1] <= i * 256) function++;
      if (i % 16 == 0) word(table, base = function);
      table.push_back(static_cast<std::uint8_t>(function - base));
    }
  }

  GoTableSpec spec_;
  std::mt19937_64 random_;
  Bytes names_, pctab_, funcdata_;
  std::map<std::string, std::uint32_t> name_offsets_, table_offsets_;
  std::vector<std::uint32_t> entries_;
  std::uint32_t end_ = 0, last_pc_ = 0;
  std::size_t table_offset_ = 0;
};

inline Bytes go_table(const GoTableSpec& spec = {}) { return GoTableBuilder(spec).build(); }

}  // namespace whittle::test
