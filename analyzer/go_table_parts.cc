// SPDX-License-Identifier: MIT
//
// Neither pc tables nor lists of files say how long they are. They stand one after another,
// though, and each has a user, so each reaches up to the next one that is used: nothing has to be
// decoded.
#include "analyzer/go_table_parts.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace whittle::analyzer {
namespace {

constexpr std::uint64_t kPcTables = 3;  // of every record: stack depth, file, line
constexpr std::uint32_t kNoData = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kInlinedCalls = 3;  // index in a record's second list (FUNCDATA_InlTree)

// Something that begins at `start`, an offset in its part of the table, and the function that uses
// it, an index.
struct Use {
  std::uint32_t start, function;
};

// The first user of each start, by start.
std::vector<Use> first_users(std::vector<Use> uses) {
  std::sort(uses.begin(), uses.end(), [](const Use& a, const Use& b) {
    return a.start != b.start ? a.start < b.start : a.function < b.function;
  });
  const auto same_start = [](const Use& a, const Use& b) { return a.start == b.start; };
  uses.erase(std::unique(uses.begin(), uses.end(), same_start), uses.end());
  return uses;
}

class Parts {
 public:
  Parts(const elf::File& file, const GoFunctionTable& table, const TakeGoTablePart& take)
      : table_(table),
        at_(table.layout),
        reader_(file.bytes().subspan(table.offset, table.size), file.header().order, file.path()),
        take_(take) {}

  std::uint64_t run() {
    names();
    std::uint64_t end = records();
    shared(at_.pcs, at_.functions, first_users(std::move(pc_tables_)));
    const std::vector<Use> units = first_users(std::move(units_));
    shared(at_.units, at_.files, units);
    shared(at_.files, at_.pcs, first_users(files_of(units)));
    if (const std::uint64_t data = data_behind(end); data != 0) {
      const std::vector<Use> uses = first_users(std::move(data_));
      end = data + uses.back().start;  // how long the last one is remains unknown
      shared(data, end, uses);
    }
    return table_.offset + end;
  }

 private:
  std::uint32_t number(std::uint64_t at) const { return reader_.u32(at, "Go's function table"); }

  void take(std::uint64_t begin, std::uint64_t size, std::string_view function) {
    take_(table_.offset + begin, size, function);
  }

  void names() {
    std::uint64_t at = at_.names;
    for (std::string_view rest = table_.names; !rest.empty();) {
      const std::size_t size = std::min(rest.find('\0'), rest.size() - 1) + 1;
      take(at, size, rest.substr(0, size - 1));
      rest.remove_prefix(size);
      at += size;
    }
  }

  // Entries of the list and records; returns where the last of these ends. Records of a sound table
  // do not overlap: that they may not be longer, together, than the table bounds what a damaged one
  // costs.
  std::uint64_t records() {
    std::uint64_t left = reader_.size(), end = 0, last_end = 0;
    for (std::uint32_t i = 0; i < table_.functions.size(); i++) {
      const GoFunction& function = table_.functions[i];
      take(at_.functions + i * 2 * at_.field, 2 * at_.field, function.name);
      if (!in_bounds(function.record, at_.record, reader_.size())) continue;
      const std::uint64_t size = record_size(function.record);
      if (size > left || !in_bounds(function.record, size, reader_.size())) continue;
      left -= size;
      const bool padded = last_end < function.record && function.record - last_end < at_.word;
      const std::uint64_t begin = padded ? last_end : function.record;
      last_end = function.record + size;
      end = std::max(end, last_end);
      take(begin, last_end - begin, function.name);
      note_uses(function.record, i);
    }
    return end;
  }

  std::uint32_t pcdata_count(std::uint64_t record) const { return number(record + at_.field + 24); }

  std::uint64_t record_size(std::uint64_t record) const {
    const std::uint64_t data = reader_.u8(record + at_.record - 1, "the length of a list");
    const std::uint64_t size = at_.record + std::uint64_t{4} * pcdata_count(record);
    return data == 0 ? size : align_up(size, at_.record_data) + data * at_.record_data;
  }

  void note_uses(std::uint64_t record, std::uint32_t function) {
    const auto note = [&](std::uint64_t at, std::vector<Use>& uses, std::uint64_t unit) {
      const std::uint64_t start = number(at) * unit;
      if (start <= std::numeric_limits<std::uint32_t>::max()) {
        uses.push_back({static_cast<std::uint32_t>(start), function});
      }
    };
    for (std::uint64_t i = 0; i < kPcTables; i++) {
      note(record + at_.field + 12 + 4 * i, pc_tables_, 1);
    }
    for (std::uint64_t i = 0; i < pcdata_count(record); i++) {
      note(record + at_.record + 4 * i, pc_tables_, 1);
    }
    note(record + at_.field + 28, units_, 4);
    if (!at_.may_hold_data) return;
    const std::uint64_t list = record + at_.record + 4 * std::uint64_t{pcdata_count(record)};
    const std::uint64_t count = reader_.u8(record + at_.record - 1, "the length of a list");
    for (std::uint64_t i = 0; i < count; i++) {
      const std::uint32_t start = number(list + 4 * i);
      if (start == kNoData) continue;
      data_.push_back({start, function});
      if (i == kInlinedCalls) inlined_calls_.push_back(start);
    }
  }

  // Where the data of the second lists begins (maps of live pointers, trees of inlined calls):
  // since Go 1.26 after the records, aligned in some way, and before that outside the table: 0. It
  // shows by the first call of each tree, which refers to the beginning of a name.
  std::uint64_t data_behind(std::uint64_t end) const {
    constexpr std::size_t kFewest = 16;  // no chance hit
    constexpr std::uint64_t kWindow = 64, kNameInCall = 4;
    if (inlined_calls_.size() < kFewest) return 0;
    const auto fits = [&](std::uint64_t base) {
      std::size_t first_names = 0;  // zeros, that is, which could be anything
      for (const std::uint32_t start : inlined_calls_) {
        const std::uint64_t at = base + start + kNameInCall;
        if (!in_bounds(at, 4, reader_.size())) return false;
        const std::uint32_t name = number(at);
        if (name >= table_.names.size()) return false;
        if (name == 0) first_names++;
        if (name != 0 && table_.names[name - 1] != '\0') return false;
      }
      return first_names < inlined_calls_.size() / 2;
    };
    for (std::uint64_t base = align_up(end, 4); base < end + kWindow; base += 4) {
      if (fits(base)) return base;
    }
    return 0;
  }

  // Hands out [begin, end) from the first start on; offset 0 of the pc tables stands for none.
  void shared(std::uint64_t begin, std::uint64_t end, const std::vector<Use>& uses) {
    for (std::size_t i = 0; i < uses.size() && uses[i].start < end - begin; i++) {
      if (begin == at_.pcs && uses[i].start == 0) continue;
      const std::uint64_t next = i + 1 < uses.size() ? uses[i + 1].start : end - begin;
      take(begin + uses[i].start, std::min(next, end - begin) - uses[i].start,
           table_.functions[uses[i].function].name);
    }
  }

  std::vector<Use> files_of(const std::vector<Use>& units) const {
    std::vector<Use> uses;
    const std::uint64_t size = at_.files - at_.units;
    for (std::size_t i = 0; i < units.size() && units[i].start < size; i++) {
      const std::uint64_t next = i + 1 < units.size() ? units[i + 1].start : size;
      for (std::uint64_t at = units[i].start; at + 4 <= std::min(next, size); at += 4) {
        uses.push_back({number(at_.units + at), units[i].function});
      }
    }
    return uses;
  }

  const GoFunctionTable& table_;
  const GoTableLayout& at_;
  ByteReader reader_;
  const TakeGoTablePart& take_;
  std::vector<Use> pc_tables_, units_, data_;  // starts in bytes
  std::vector<std::uint32_t> inlined_calls_;   // starts in the data
};

}  // namespace

std::uint64_t for_each_go_table_part(const elf::File& file, const GoFunctionTable& table,
                                     const TakeGoTablePart& take) {
  if (!table.layout.has_parts) return table.offset;
  return Parts(file, table, take).run();
}

}  // namespace whittle::analyzer
