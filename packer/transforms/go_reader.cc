// SPDX-License-Identifier: MIT
#include "packer/transforms/go_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/text.h"

namespace whittle::packer::go {

using namespace stub;

constexpr std::string_view kBeyond = "refers to something beyond the table's end";

Parsed::Parsed(ByteView bytes) : table(bytes) {
  require(read_go_header(table.data(), table.size(), header), "has a damaged header");
  std::uint32_t to = header.functab + 8 * header.functions + 4;
  for (std::uint32_t i = 0; i < header.functions; i++) {
    const std::uint32_t from = header.functab + align_to(to - header.functab, 8);
    try {
      functions.push_back(read_function(i, from));
    } catch (NotSplit& failure) {
      failure.function = i;
      throw;
    }
    const Function& function = functions.back();
    to = from + header.function_size() +
         4 * static_cast<std::uint32_t>(function.tables.size() - kPcData + function.data.size());
  }
  functions_end = to;
  end_entry = word(header.functab + 8 * header.functions);
}

Function Parsed::read_function(std::uint32_t index, std::uint32_t from) const {
  const std::uint32_t fixed = header.function_size();
  const std::uint32_t entry_at = header.functab + 8 * index;
  require(word(entry_at + 4) == from - header.functab && word(entry_at) == word(from),
          "does not follow the function before it");
  require(in_bounds(from, fixed, table.size()), kBeyond);
  Function function;
  function.offset = from;
  function.entry = word(from);
  function.name = word(from + 4);
  function.arguments = word(from + 8);
  function.deferreturn = word(from + 12);
  function.unit = word(from + 32);
  if (header.start_lines) function.start_line = word(from + 36);
  const std::uint32_t last = word(from + fixed - 4);
  function.id = last & 0xff;
  function.flag = last >> 8 & 0xff;
  require((last >> 16 & 0xff) == 0, "has a reserved byte that is not zero");
  const std::uint32_t pcdata = word(from + 28), data = last >> 24;
  require(pcdata <= kMaxColumns && data <= kMaxColumns &&
              in_bounds(from, fixed + 4 * (pcdata + data), table.size()),
          "has more columns than Go's linker writes");
  for (std::uint32_t j = 0; j < kPcData; j++) {
    function.tables.push_back(word(from + 16 + 4 * j));
  }
  for (std::uint32_t j = 0; j < pcdata; j++) {
    function.tables.push_back(word(from + fixed + 4 * j));
  }
  for (std::uint32_t j = 0; j < data; j++) {
    function.data.push_back(word(from + fixed + 4 * (pcdata + j)));
  }
  return function;
}

std::uint32_t Parsed::word(std::uint64_t offset) const {
  require(in_bounds(offset, 4, table.size()), kBeyond);
  return load32(table.data() + offset);
}

std::uint32_t Parsed::varint(std::uint32_t& at) const {
  std::uint32_t value = 0;
  for (std::uint32_t shift = 0; shift < 35; shift += 7) {
    require(at < header.functab, kBeyond);
    const std::uint32_t byte = table[at++];
    value |= (byte & 0x7f) << (shift & 31);
    if (byte < 0x80) return value;
  }
  throw NotSplit{"has a number of more than 32 bits"};
}

const PcTable& Parsed::pc_table(std::uint32_t offset) const {
  const auto [found, is_new] = pc_tables_.try_emplace(offset);
  PcTable& result = found->second;
  if (!is_new) return result;
  require(offset < header.functab - header.pcs, kBeyond);
  const std::uint32_t begin = header.pcs + offset;
  std::uint32_t at = begin, value = ~0U;
  for (std::uint32_t delta = varint(at);;) {
    value += unzigzag(delta);
    result.runs.push_back({result.length, value});
    result.length += varint(at);
    delta = varint(at);
    if (delta == 0) break;
  }
  result.size = at - begin;
  // They do not overlap, which also bounds the work on a damaged table.
  pc_table_bytes_ += result.size;
  require(pc_table_bytes_ <= header.functab - header.pcs, "has pc tables that overlap");
  return result;
}

std::uint32_t Parsed::name_size(std::uint32_t offset) const {
  require(offset < header.units - header.names, "has a name outside the names");
  const auto begin = table.begin() + header.names + offset;
  const auto end = std::find(begin, table.begin() + header.units, 0);
  return static_cast<std::uint32_t>(end - begin) + (end != table.begin() + header.units ? 1 : 0);
}

std::string Parsed::describe(std::uint32_t function) const {
  if (function == kNowhere) return "the table";
  std::string text = fmt::format("function {}", function);
  if (function >= functions.size() || functions[function].name >= header.units - header.names) {
    return text;
  }
  const auto begin = table.begin() + header.names + functions[function].name;
  const auto end = std::find(begin, table.begin() + header.units, 0);
  return text + fmt::format(" ({})", printable(std::string(begin, end)));
}

Bytes find_functions(const Parsed& parsed) {
  Bytes result;
  const std::uint32_t first = parsed.functions.front().entry;
  const std::uint32_t count = (parsed.end_entry - first + 255) >> 8;
  require(count < parsed.table.size(), "covers more code than the program has");
  std::uint32_t function = 0, base = 0;
  for (std::uint32_t i = 0; i < count; i++) {
    while (function + 1 < parsed.functions.size() &&
           parsed.functions[function + 1].entry - first <= i << 8) {
      function++;
    }
    if (i % 16 == 0) {
      base = function;
      result.resize(result.size() + 4);
      store32(result.data() + result.size() - 4, base);
    }
    result.push_back(static_cast<std::uint8_t>(function - base));
  }
  return result;
}

std::uint32_t tree_size(const Parsed& parsed, const Function& function) {
  if (function.tables.size() <= kTreeIndex || function.tables[kTreeIndex] == 0) return 0;
  std::uint32_t nodes = 0;
  for (const Run& run : parsed.pc_table(function.tables[kTreeIndex]).runs) {
    if (run.value != ~0U) nodes = std::max(nodes, run.value + 1);
  }
  require(nodes < kGoMaxSize, "has an inlining tree of too many nodes");
  return nodes;
}
bool has_tree(const Function& function) {
  return function.data.size() > kTreeData && function.data[kTreeData] != ~0U;
}

namespace {

// One of a few bytes is not looked for, it could be anything. (Boyer and Moore's search, unlike
// Horspool's, takes linear time whatever the bytes are.)
void locate_find_functions(const Parsed& parsed, ByteView around, Located& at) {
  constexpr std::size_t kLeast = 16;
  const Bytes wanted = find_functions(parsed);
  if (wanted.size() < kLeast) return;
  const std::boyer_moore_searcher searcher(wanted.begin(), wanted.end());
  const auto behind = around.begin() + at.table + parsed.functions_end;
  auto found = std::search(behind, around.end(), searcher);
  if (found == around.end()) {
    found = std::search(around.begin(), around.begin() + at.table, searcher);
    if (found == around.begin() + at.table) return;
  }
  const auto begin = static_cast<std::uint32_t>(found - around.begin());
  if (begin % 4 != 0) return;
  at.find_func = begin;
  at.begin = std::min(at.begin, begin);
  at.end = std::max(at.end, begin + static_cast<std::uint32_t>(wanted.size()));
}

// Where the funcdata begins: all inlining trees must make sense from there. Since Go 1.26 that is
// after the table, in older versions somewhere before it.
void locate_funcdata(const Parsed& parsed, ByteView around, Located& at) {
  struct Tree {
    std::uint32_t offset, nodes;
  };
  std::vector<Tree> trees;
  std::uint64_t end = 0;
  const std::uint32_t stride = node_size(parsed.header);
  for (const Function& function : parsed.functions) {
    if (!has_tree(function)) continue;
    const std::uint32_t nodes = tree_size(parsed, function), offset = function.data[kTreeData];
    if (nodes == 0 || offset % 4 != 0) continue;
    trees.push_back({offset, nodes});
    end = std::max(end, offset + std::uint64_t{stride} * nodes);
  }
  if (trees.empty()) return;
  const std::uint8_t* names = parsed.table.data() + parsed.header.names;
  const std::uint32_t names_size = parsed.header.units - parsed.header.names;
  // Nearly every place is refused by its first node. Bytes made to look like nodes everywhere must
  // not cost quadratic time.
  std::uint64_t patience = 4 * around.size();
  const auto fits = [&](std::uint64_t begin) {
    std::size_t seen = 0, zeros = 0;  // the first name is one as others, but zeros are everywhere
    return std::all_of(trees.begin(), trees.end(), [&](const Tree& tree) {
      const std::uint8_t* node = around.data() + begin + tree.offset;
      for (std::uint32_t i = 0; i < tree.nodes; i++, node += stride) {
        if (patience == 0) return false;
        patience--;
        const std::uint32_t name = load32(node + node_name_at(parsed.header));
        if (name >= names_size || (name != 0 && names[name - 1] != 0)) return false;
        zeros += name == 0;
        if (zeros * 16 > ++seen + 16) return false;
      }
      return true;
    });
  };
  const auto search = [&](std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t begin = align_up(from, 4); begin + end <= to; begin += 4) {
      if (!fits(begin)) continue;
      at.go_func = static_cast<std::uint32_t>(begin);
      at.begin = std::min(at.begin, at.go_func);
      at.end = std::max(at.end, static_cast<std::uint32_t>(begin + end));
      return true;
    }
    return false;
  };
  if (!search(std::uint64_t{at.table} + parsed.functions_end, around.size())) search(0, at.table);
}

// `table`: offset of a header. Throws NotSplit.
Located locate(const Parsed& parsed, ByteView around, std::size_t table) {
  Located at;
  at.table = static_cast<std::uint32_t>(table);
  at.begin = at.table;
  at.end = at.table + parsed.functions_end;
  locate_find_functions(parsed, around, at);
  locate_funcdata(parsed, around, at);
  return at;
}

// The Go that wrote the header, where that is one whose tables are not split; else empty.
std::string_view older_version(const std::uint8_t* header) {
  if ((load32(header + 4) & 0xff00ffff) != 0x08000000) return "";
  if (load32(header) == 0xfffffffb) return "1.15 or earlier";
  return load32(header) == 0xfffffffa ? "1.16 or 1.17" : "";
}

}  // namespace

void for_each_table(ByteView bytes, const std::function<bool(const Parsed&, const Located&)>& use,
                    const std::function<void(std::uint64_t, std::string)>& on_failure) {
  const auto fail = [&](std::uint64_t at, std::string why) {
    if (on_failure) on_failure(at, std::move(why));
  };
  bytes = bytes.first(std::min<std::size_t>(bytes.size(), kGoMaxSize));
  // What belongs to a table is looked for everywhere. A program has one table, and one that carries
  // others has a few.
  int tables_left = 16;
  // Tables do not overlap, so all their functions fit: a function has 8 bytes in functab. Headers
  // that share what stands after them must not cost quadratic time.
  std::uint64_t functions_left = bytes.size() / 4;
  for (std::size_t at = 0; at + kGoHeaderSize <= bytes.size() && tables_left != 0; at += 4) {
    GoHeader header;
    if (!read_go_header(bytes.data() + at, bytes.size() - at, header)) {
      if (const auto version = older_version(bytes.data() + at); !version.empty()) {
        fail(at, fmt::format("the table is of Go {}; those of Go 1.18 and later can be split",
                             version));
      }
      continue;
    }
    if (header.functions > functions_left) continue;
    functions_left -= header.functions;
    std::optional<Parsed> parsed;
    try {
      parsed.emplace(bytes.subspan(at));
      tables_left--;
      if (use(*parsed, locate(*parsed, bytes, at))) return;
      at = align_down(at + parsed->functions_end, 4) - 4;
    } catch (const NotSplit& failure) {
      const std::string what = parsed ? parsed->describe(failure.function)
                               : failure.function == kNowhere
                                   ? "the table"
                                   : fmt::format("function {}", failure.function);
      fail(at, what + " " + std::string(failure.why));
    }
  }
}

}  // namespace whittle::packer::go
