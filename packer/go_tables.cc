// SPDX-License-Identifier: MIT
#include "packer/go_tables.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <set>

#include "packer/stub/go_model.h"

namespace whittle::packer {
namespace {

using namespace stub;

// A table that is not what Go's linker writes. Caught in this file.
struct NotSplit {};
void require(bool condition) {
  if (!condition) throw NotSplit();
}

std::uint32_t zigzag(std::uint32_t delta) { return delta << 1 ^ (0 - (delta >> 31)); }
std::uint32_t unzigzag(std::uint32_t value) { return value >> 1 ^ (0 - (value & 1)); }

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

// The table as a list of functions. Throws NotSplit.
class Parsed {
 public:
  explicit Parsed(ByteView bytes) : table(bytes) {
    require(read_go_header(table.data(), table.size(), header));
    const std::uint32_t fixed = header.start_lines ? 44 : 40;
    std::uint32_t to = header.functab + 8 * header.functions + 4;
    for (std::uint32_t i = 0; i < header.functions; i++) {
      const std::uint32_t from = header.functab + align_to(to - header.functab, 8);
      const std::uint32_t entry_at = header.functab + 8 * i;
      require(word(entry_at + 4) == from - header.functab && word(entry_at) == word(from));
      require(in_bounds(from, fixed, table.size()));
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
      require((last >> 16 & 0xff) == 0);
      const std::uint32_t pcdata = word(from + 28), data = last >> 24;
      require(pcdata <= kMaxColumns && data <= kMaxColumns &&
              in_bounds(from, fixed + 4 * (pcdata + data), table.size()));
      to = from + fixed + 4 * (pcdata + data);
      for (std::uint32_t j = 0; j < kPcData; j++) {
        function.tables.push_back(word(from + 16 + 4 * j));
      }
      for (std::uint32_t j = 0; j < pcdata; j++) {
        function.tables.push_back(word(from + fixed + 4 * j));
      }
      for (std::uint32_t j = 0; j < data; j++) {
        function.data.push_back(word(from + fixed + 4 * (pcdata + j)));
      }
      functions.push_back(std::move(function));
    }
    functions_end = to;
    end_entry = word(header.functab + 8 * header.functions);
  }

  std::uint32_t word(std::uint64_t offset) const {
    require(in_bounds(offset, 4, table.size()));
    return load32(table.data() + offset);
  }

  std::uint32_t varint(std::uint32_t& at) const {
    std::uint32_t value = 0;
    for (std::uint32_t shift = 0; shift < 35; shift += 7) {
      require(at < header.functab);
      const std::uint32_t byte = table[at++];
      value |= (byte & 0x7f) << (shift & 31);
      if (byte < 0x80) return value;
    }
    throw NotSplit();
  }

  const PcTable& pc_table(std::uint32_t offset) const {
    const auto [found, is_new] = pc_tables_.try_emplace(offset);
    PcTable& result = found->second;
    if (!is_new) return result;
    require(offset < header.functab - header.pcs);
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
    require(pc_table_bytes_ <= header.functab - header.pcs);
    return result;
  }

  // Bytes of the name at `offset` with its zero.
  std::uint32_t name_size(std::uint32_t offset) const {
    require(offset < header.units - header.names);
    const auto begin = table.begin() + header.names + offset;
    const auto end = std::find(begin, table.begin() + header.units, 0);
    return static_cast<std::uint32_t>(end - begin) + (end != table.begin() + header.units ? 1 : 0);
  }

  ByteView table;
  GoHeader header;
  std::vector<Function> functions;
  std::uint32_t functions_end = 0;
  std::uint32_t end_entry = 0;

 private:
  mutable std::map<std::uint32_t, PcTable> pc_tables_;
  mutable std::uint64_t pc_table_bytes_ = 0;
};

// The function of each 256 bytes of code, as the linker's findfunctab says it.
Bytes find_functions(const Parsed& parsed) {
  Bytes result;
  const std::uint32_t first = parsed.functions.front().entry;
  const std::uint32_t count = (parsed.end_entry - first + 255) >> 8;
  require(count < parsed.table.size());
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

// Where findfunctab stands behind `from`; begin 0: nowhere. One of a few bytes is not looked for,
// it could be anything.
struct Found {
  std::uint32_t begin = 0, end = 0;
};
Found locate_find_functions(const Parsed& parsed, std::uint32_t from) {
  constexpr std::size_t kLeast = 16;
  const Bytes wanted = find_functions(parsed);
  if (wanted.size() < kLeast) return {};
  const auto found = std::search(parsed.table.begin() + from, parsed.table.end(),
                                 std::boyer_moore_searcher(wanted.begin(), wanted.end()));
  if (found == parsed.table.end()) return {};
  const auto begin = static_cast<std::uint32_t>(found - parsed.table.begin());
  return {begin, begin + static_cast<std::uint32_t>(wanted.size())};
}

// Nodes in the tree of a function: as many as its table of indexes speaks of.
std::uint32_t tree_size(const Parsed& parsed, const Function& function) {
  if (function.tables.size() <= kTreeIndex || function.tables[kTreeIndex] == 0) return 0;
  std::uint32_t nodes = 0;
  for (const Run& run : parsed.pc_table(function.tables[kTreeIndex]).runs) {
    if (run.value != ~0U) nodes = std::max(nodes, run.value + 1);
  }
  require(nodes < parsed.table.size());
  return nodes;
}
bool has_tree(const Function& function) {
  return function.data.size() > kTreeData && function.data[kTreeData] != ~0U;
}

// Where the funcdata begins behind the functions, 0: not there. Since Go 1.26 it is; all inlining
// trees must then make sense.
std::uint32_t find_go_func(const Parsed& parsed, ByteView table) {
  if (!parsed.header.start_lines) return 0;
  for (std::uint32_t align = 8; align <= 64; align *= 2) {
    const std::uint32_t begin = align_to(parsed.functions_end, align);
    std::uint32_t trees = 0;
    const bool fits = std::all_of(
        parsed.functions.begin(), parsed.functions.end(), [&](const Function& function) {
          if (!has_tree(function)) return true;
          trees++;
          const std::uint32_t nodes = tree_size(parsed, function);
          const std::uint64_t at = std::uint64_t{begin} + function.data[kTreeData];
          if (!in_bounds(at, std::uint64_t{nodes} * 16, table.size())) return false;
          for (std::uint32_t i = 0; i < nodes; i++) {
            const std::uint32_t name = load32(table.data() + at + 16 * i + 4);
            if (name == 0 || name >= parsed.header.units - parsed.header.names ||
                table[parsed.header.names + name - 1] != 0) {
              return false;
            }
          }
          return true;
        });
    if (fits && trees != 0) return begin;
  }
  return 0;
}

class Splitter {
 public:
  Splitter(ByteView table, ByteView starts)
      : table_(table),
        instructions_(starts),
        parsed_(table),
        header_(parsed_.header),
        streams_(kGoStreamCount),
        buckets_(GoMemory::kBuckets),
        files_(kHashed),
        starts_(kHashed),
        entries_(table.size() / 3 + 1),
        memory_(buckets_.data(), entries_.data(), static_cast<std::uint32_t>(entries_.size() - 1)) {
  }

  std::vector<Bytes> split() {
    parameters_[kFunctionsEnd] = parsed_.functions_end;
    parameters_[kGoFuncOffset] = find_go_func(parsed_, table_);
    parameters_[kFunctionAlign] = function_align();
    parameters_[kCodeOffset] = code_offset();
    for (const Function& function : parsed_.functions) {
      most_slots_ = std::max(most_slots_, tree_size(parsed_, function) + 1);
    }
    require(most_slots_ <= table_.size() / 16);
    slots_.resize(most_slots_);
    plain(0, header_.names);
    split_names();
    plain(header_.units, header_.pcs);
    tail_ = parsed_.functions_end;
    split_functions();
    if (const Found find = locate_find_functions(parsed_, tail_); find.begin != 0) {
      parameters_[kFindFuncOffset] = find.begin;
      plain(tail_, find.begin);
      tail_ = find.end;
    }
    plain(tail_, static_cast<std::uint32_t>(table_.size()));
    parameters_[kMemoryNodes] = memory_.size();
    parameters_[kMostSlots] = most_slots_;
    require(go_parameters_fit(parameters_, table_.size()));
    Bytes& parameters = streams_[kParameters];
    parameters.resize(sizeof parameters_);
    std::memcpy(parameters.data(), parameters_, sizeof parameters_);
    return std::move(streams_);
  }

 private:
  void byte(GoStream stream, std::uint32_t value) {
    streams_[stream].push_back(static_cast<std::uint8_t>(value));
  }
  void wide(std::uint32_t value) {
    for (; value >= 0x80; value >>= 7) byte(kWide, (value & 0x7f) | 0x80);
    byte(kWide, value);
  }
  void number(std::uint32_t stream, std::uint32_t value) {
    Bytes& to = streams_[stream];
    if (value < kFirstSplit) {
      to.push_back(static_cast<std::uint8_t>(value));
    } else if (value < kFirstWide) {
      to.push_back(static_cast<std::uint8_t>(kFirstSplit + (value - kFirstSplit) / 256));
      byte(kLowBytes, (value - kFirstSplit) & 0xff);
    } else {
      to.push_back(255);
      wide(value);
    }
  }
  void plain(std::uint32_t begin, std::uint32_t end) {
    require(begin <= end && end <= table_.size());
    streams_[kPlain].insert(streams_[kPlain].end(), table_.begin() + begin, table_.begin() + end);
  }

  void split_names() {
    std::uint32_t before = header_.names, at = header_.names;
    while (at != header_.units) {
      const std::uint32_t size = parsed_.name_size(at - header_.names);
      require(table_[at + size - 1] == 0);
      std::uint32_t shared = 0;
      while (shared < 255 && shared + 1 < size && before + shared < at &&
             table_[before + shared] == table_[at + shared]) {
        shared++;
      }
      byte(kNamePrefixes, shared);
      streams_[kNameSuffixes].insert(streams_[kNameSuffixes].end(), table_.begin() + at + shared,
                                     table_.begin() + at + size);
      before = at;
      at += size;
    }
  }

  // The alignment of functions that explains most of their distances.
  std::uint32_t function_align() const {
    std::uint32_t best = 1, hits = 0;
    for (std::uint32_t align = 1; align <= 64; align *= 2) {
      std::uint32_t count = 0;
      for (std::size_t i = 0; i + 1 < parsed_.functions.size(); i++) {
        const Function& function = parsed_.functions[i];
        if (function.tables[kLine] == 0) continue;
        const std::uint32_t length = parsed_.pc_table(function.tables[kLine]).length;
        count += align_to(function.entry + length * header_.quantum, align) ==
                 parsed_.functions[i + 1].entry;
      }
      if (count > hits) {
        hits = count;
        best = align;
      }
    }
    return best;
  }

  bool is_start(std::uint64_t bit) const {
    return bit / 8 + 8 <= instructions_.size() && (instructions_[bit / 8] >> bit % 8 & 1) != 0;
  }

  // Where entry 0 stands in the code: where nearly all lines begin with an instruction. The linker
  // puts other things in front of it, and aligns it.
  std::uint32_t code_offset() const {
    constexpr std::uint32_t kFarthest = 0x4000, kAlign = 16;
    constexpr std::size_t kEnough = 4000;
    if (instructions_.empty() || header_.quantum != 1) return kNoCode;
    std::vector<std::uint32_t> pcs;
    for (const Function& function : parsed_.functions) {
      if (function.tables[kLine] == 0 || pcs.size() > kEnough) continue;
      for (const Run& run : parsed_.pc_table(function.tables[kLine]).runs) {
        pcs.push_back(function.entry + run.pc);
      }
    }
    for (std::uint32_t offset = 0; offset <= kFarthest; offset += kAlign) {
      const auto hits = std::count_if(pcs.begin(), pcs.end(), [&](std::uint32_t pc) {
        return is_start(std::uint64_t{offset} + pc);
      });
      if (static_cast<std::size_t>(hits) * 10 > pcs.size() * 9) return offset;
    }
    return kNoCode;
  }

  // A length of a run, from one pc to another of the function in hand.
  void length(std::uint32_t stream, std::uint32_t from, std::uint32_t to) {
    if (parameters_[kCodeOffset] == kNoCode) {
      number(stream, to - from);
      return;
    }
    const std::uint64_t base = std::uint64_t{parameters_[kCodeOffset]} + entry_;
    if (to <= from || !is_start(base + to)) {
      number(stream, 0);
      wide(to - from);
      return;
    }
    std::uint32_t count = 0;
    for (std::uint32_t pc = from + 1; pc <= to; pc++) count += is_start(base + pc);
    number(stream, count);
  }

  void take_new_name() { next_name_ += parsed_.name_size(next_name_); }
  bool is_new_name(std::uint32_t name) const {
    return name == next_name_ && name < header_.units - header_.names;
  }

  // A reference to something known; explicit where the memory does not reach it.
  void reference(GoStream stream, std::uint32_t key, std::uint32_t value) {
    const std::uint32_t rank = memory_.rank(key, value);
    if (rank < GoMemory::kRanks) {
      byte(stream, kRanked + rank);
      memory_.take(key, rank, value);
    } else {
      byte(stream, kExplicit);
      wide(value);
      if (stream != kTableReferences || key % 64 != kLine) memory_.add(key, value);
    }
  }

  void split_functions() {
    GoPositions positions(slots_.data(), most_slots_, files_.data(), table_.size());
    std::uint32_t entry = 0, unit = 0, end_line = 0, data_end[kMaxColumns] = {};
    std::set<std::uint32_t> known_data[kMaxColumns];
    number(kFunctionMisc, parsed_.functions.front().entry);
    entry = parsed_.functions.front().entry;
    for (std::size_t i = 0; i < parsed_.functions.size(); i++) {
      const Function& function = parsed_.functions[i];
      byte(kShapes, static_cast<std::uint32_t>(function.tables.size()) - kPcData);
      byte(kShapes, static_cast<std::uint32_t>(function.data.size()));
      byte(kShapes, function.flag);
      byte(kShapes, function.id);
      if (is_new_name(function.name)) {
        number(kFunctionMisc, 0);
        take_new_name();
      } else {
        number(kFunctionMisc, zigzag(function.name - next_name_) + 1);
      }
      number(kArguments, function.arguments);
      number(kFunctionMisc, function.deferreturn);
      number(kFunctionMisc, zigzag(function.unit - unit));
      unit = function.unit;
      std::uint32_t start_line = end_line;
      if (header_.start_lines) {
        number(kStartLines, zigzag(function.start_line - end_line));
        start_line = function.start_line;
      }
      positions.begin(start_line, unit);
      entry_ = function.entry;

      std::uint32_t tree = 0, nodes = 0;
      for (std::uint32_t j = 0; j < function.data.size(); j++) {
        const std::uint32_t offset = function.data[j], key = data_key(j, function.arguments);
        if (offset == ~0U) {
          byte(kDataReferences, kNone);
        } else if (known_data[j].insert(offset).second) {
          byte(kDataReferences, kNew);
          number(kDataOffsets, zigzag(offset - data_end[j]));
          data_end[j] = offset;
          memory_.add(key, offset);
          if (j == kTreeData && parameters_[kGoFuncOffset] != 0) {
            nodes = tree_size(parsed_, function);
            tree = parameters_[kGoFuncOffset] + offset;
            if (tree < tail_ || !in_bounds(tree, 16 * std::uint64_t{nodes}, table_.size())) {
              nodes = 0;
            }
            number(kTreeSizes, nodes);
            data_end[j] += 16 * nodes;
          }
        } else {
          reference(kDataReferences, key, offset);
        }
      }
      if (nodes != 0) split_tree(tree, nodes, positions);
      const std::uint32_t length =
          split_tables(function, header_.start_lines ? start_line : 0, positions);
      if (!steps_.empty()) end_line = positions.slot(0).line;
      split_parents(tree, nodes, positions);
      entry += length * header_.quantum;
      const bool last = i + 1 == parsed_.functions.size();
      if (!last) entry = align_to(entry, parameters_[kFunctionAlign]);
      const std::uint32_t next = last ? parsed_.end_entry : parsed_.functions[i + 1].entry;
      number(kFunctionMisc, zigzag(next - entry));
      entry = next;
    }
  }

  void split_tree(std::uint32_t tree, std::uint32_t nodes, GoPositions& positions) {
    plain(tail_, tree);
    tail_ = tree + 16 * nodes;
    std::uint32_t before = kNoName;
    for (; nodes != 0; nodes--, tree += 16) {
      const std::uint32_t id = load32(&table_[tree]), name = load32(&table_[tree + 4]);
      const std::uint32_t start = load32(&table_[tree + 12]);
      const std::uint32_t key = name_key(before);
      if (is_new_name(name)) {
        byte(kNodeNames, kNew);
        take_new_name();
        memory_.add(key, name);
      } else if (const std::uint32_t rank = memory_.rank(key, name); rank < GoMemory::kRanks) {
        byte(kNodeNames, kRanked + rank);
        std::uint32_t value;
        memory_.take(key, rank, value);
      } else {
        require(name < 1 << 24);
        byte(kNodeNames, kExplicit);
        for (int i = 0; i < 3; i++) byte(kNodeNameOffsets, name >> (8 * i) & 0xff);
        memory_.add(key, name);
      }
      before = name;
      std::uint32_t& expected = starts_[hash_of(name)];
      byte(kNodeMisc, (start != expected ? 1 : 0) + (id != 0 ? 2 : 0));
      if (start != expected) number(kNodeStartLines, start);
      if (id != 0) wide(id);
      expected = start;
      require(positions.add_node(name, start));
    }
  }

  void split_parents(std::uint32_t tree, std::uint32_t nodes, const GoPositions& positions) {
    std::uint32_t step = 0;
    for (std::uint32_t i = 1; i <= nodes; i++, tree += 16) {
      if (positions.slot(i).seen) step = positions.slot(i).step;
      const std::uint32_t here = step < steps_.size() ? steps_[step] * header_.quantum : 0;
      const std::uint32_t parent = load32(&table_[tree + 8]);
      const auto found = std::lower_bound(steps_.begin(), steps_.end(), parent / header_.quantum);
      const auto to = static_cast<std::uint32_t>(found - steps_.begin());
      if (found != steps_.end() && *found * header_.quantum == parent && zigzag(to - step) < 255) {
        byte(kNodeParents, zigzag(to - step));
      } else {
        byte(kNodeParents, 255);
        wide(zigzag(parent - here));
      }
    }
  }

  // References to the pc tables and those that are new. Returns the function's length.
  std::uint32_t split_tables(const Function& function, std::uint32_t start_line,
                             GoPositions& positions) {
    steps_.clear();
    const auto is_new = [&](std::uint32_t offset) { return !known_tables_.contains(offset); };
    const std::uint32_t lines = function.tables[kLine];
    std::uint32_t length = 0;
    const bool stepped = lines != 0 && is_new(lines);
    if (lines == 0) {
      byte(kTableReferences, kNone);
    } else {
      length = parsed_.pc_table(lines).length;
      if (stepped) {
        byte(kTableReferences, kNew);
        split_positions(function, positions);
      } else {
        reference(kTableReferences, line_table_key(start_line), lines);
      }
    }
    const auto pcdata = static_cast<std::uint32_t>(function.tables.size()) - kPcData;
    for (std::uint32_t i = 0; i < function.tables.size(); i++) {
      const std::uint32_t kind = table_in_order(i, pcdata), offset = function.tables[kind];
      if (kind == kLine && !stepped) continue;
      const std::uint32_t key =
          kind == kLine ? line_table_key(start_line) : table_key(kind, length);
      if (offset == 0) {
        byte(kTableReferences, kNone);
      } else if (is_new(offset)) {
        if (kind != kLine) byte(kTableReferences, kNew);
        require(offset == next_table_);
        const PcTable& pc_table = parsed_.pc_table(offset);
        next_table_ += pc_table.size;
        known_tables_.insert(offset);
        require(pc_table.length == length);
        memory_.add(key, offset);
        const bool joined = stepped && (kind == kFile || kind == kLine || kind == kTreeIndex);
        if (joined) continue;
        if (kind == kSp) {
          split_sp_table(pc_table);
        } else {
          split_pc_table(pc_table, value_stream(kind));
        }
      } else {
        reference(kTableReferences, key, offset);
      }
    }
    return length;
  }

  void split_sp_table(const PcTable& pc_table) {
    GoRecent recent;
    for (std::size_t i = 0; i < pc_table.runs.size(); i++) {
      const Run& run = pc_table.runs[i];
      const std::uint32_t rank = recent.rank(run.value);
      byte(kSpValues, rank + 1);
      if (rank == GoRecent::kCount) number(kSpFrames, run.value >> 3 | run.value << 29);
      recent.use(rank, run.value);
      if (i != 0) length(kSpPcs, pc_table.runs[i - 1].pc, run.pc);
    }
    byte(kSpValues, 0);
  }

  void split_pc_table(const PcTable& pc_table, std::uint32_t stream) {
    std::uint32_t value = ~0U;
    for (std::size_t i = 0; i < pc_table.runs.size(); i++) {
      const Run& run = pc_table.runs[i];
      number(stream, zigzag(run.value - value));
      if (i != 0) length(stream + 1, pc_table.runs[i - 1].pc, run.pc);
      value = run.value;
    }
    number(stream, 0);
  }

  void split_positions(const Function& function, GoPositions& positions) {
    static const PcTable kNothing;
    const auto table_of = [&](std::uint32_t kind) -> const PcTable& {
      if (kind >= function.tables.size() || function.tables[kind] == 0) return kNothing;
      const PcTable& pc_table = parsed_.pc_table(function.tables[kind]);
      parameters_[kLargestTable] = std::max(parameters_[kLargestTable], pc_table.size + 16);
      return pc_table;
    };
    const PcTable& lines = table_of(kLine);
    const PcTable& files = table_of(kFile);
    const PcTable& trees = table_of(kTreeIndex);
    std::size_t next_line = 0, next_file = 0, next_tree = 0;
    const auto value_at = [](const PcTable& pc_table, std::size_t& next, std::uint32_t pc) {
      while (next < pc_table.runs.size() && pc_table.runs[next].pc <= pc) next++;
      return next == 0 ? ~0U : pc_table.runs[next - 1].value;
    };
    const auto next_pc = [&](const PcTable& pc_table, std::size_t next) {
      return next < pc_table.runs.size() ? pc_table.runs[next].pc : lines.length;
    };
    for (std::uint32_t pc = 0;;) {
      const std::uint32_t line = value_at(lines, next_line, pc);
      std::uint32_t file = value_at(files, next_file, pc);
      const std::uint32_t slot = value_at(trees, next_tree, pc) + 1;
      const auto step = static_cast<std::uint32_t>(steps_.size());
      std::uint32_t action = kStay;
      if (slot != positions.now.slot) {
        std::uint32_t rank = 0;
        if (slot == positions.next_slot()) {
          action = kNextSlot;
        } else {
          action = kExplicitSlot;
          for (std::uint32_t r = 1; r < positions.recent_count(); r++) {
            if (positions.recent(r) != slot) continue;
            rank = r;
            action = kRecent + r;
            break;
          }
          if (action == kExplicitSlot) wide(zigzag(slot - positions.now.slot));
        }
        require(positions.enter(slot, rank, step));
      }
      const GoSlot& at = positions.slot(positions.now.slot);
      const bool entered = action != kStay, same_line = line == positions.now.line;
      const std::uint32_t expected_file = entered ? at.file : positions.now.file;
      if (files.runs.empty()) file = expected_file;
      byte(kStepKinds,
           1 + 4 * action + (same_line ? kSameLine : 0) + (file != expected_file ? kOtherFile : 0));
      if (!same_line) {
        const std::uint32_t expected = entered ? at.line : positions.now.line;
        number(entered ? positions.line_stream() : kLinesSame, zigzag(line - expected));
      }
      if (file != expected_file) wide(zigzag(file - expected_file));
      positions.now.line = line;
      positions.now.file = file;
      steps_.push_back(pc);
      const std::uint32_t next = std::min(
          {next_pc(lines, next_line), next_pc(files, next_file), next_pc(trees, next_tree)});
      length(kStepPcs, pc, next);
      if (next == lines.length) break;
      require(next > pc);
      pc = next;
    }
    positions.leave();
    byte(kStepKinds, 0);
    parameters_[kMostSteps] =
        std::max(parameters_[kMostSteps], static_cast<std::uint32_t>(steps_.size()));
  }

  ByteView table_, instructions_;
  Parsed parsed_;
  const GoHeader& header_;
  std::vector<Bytes> streams_;
  std::vector<std::uint32_t> buckets_, files_, starts_;
  std::vector<GoMemory::Entry> entries_;
  std::vector<GoSlot> slots_;
  GoMemory memory_;
  std::uint32_t parameters_[kGoParameterCount] = {};
  std::uint32_t most_slots_ = 1;
  std::uint32_t next_name_ = 0, next_table_ = 1;
  std::uint32_t tail_ = 0;
  std::uint32_t entry_ = 0;  // of the function in hand
  std::set<std::uint32_t> known_tables_;
  std::vector<std::uint32_t> steps_;  // pcs of the function in hand
};

// False: damaged.
bool join(const std::vector<Bytes>& streams, ByteView starts, Bytes& table) {
  std::vector<StreamView> views;
  for (const Bytes& stream : streams) views.push_back({stream.data(), stream.size()});
  const std::size_t scratch_size = go_table_scratch(views.data(), views.size(), table.size());
  std::vector<std::uint64_t> scratch((scratch_size + 7) / 8);
  return stub::join_go_table(views.data(), views.size(), table.data(), table.size(),
                             reinterpret_cast<std::uint8_t*>(scratch.data()), scratch_size,
                             {starts.data(), starts.size()});
}

}  // namespace

std::vector<GoTable> find_go_tables(ByteView segment) {
  std::vector<GoTable> tables;
  for (std::size_t at = 0; at + kGoHeaderSize <= segment.size(); at += 8) {
    GoHeader header;
    const std::size_t size = std::min<std::size_t>(segment.size() - at, kGoMaxSize);
    if (!read_go_header(segment.data() + at, size, header)) continue;
    try {
      const ByteView rest = segment.subspan(at, size);
      const Parsed parsed(rest);
      const Found find = locate_find_functions(parsed, parsed.functions_end);
      const std::size_t end = find.begin != 0 ? find.end : parsed.functions_end;
      tables.push_back({at, end});
      at = align_down(at + end, 8) - 8;
    } catch (const NotSplit&) {
    }
  }
  return tables;
}

std::optional<std::vector<Bytes>> split_go_table(ByteView table, ByteView starts) {
  try {
    std::vector<Bytes> streams = Splitter(table, starts).split();
    Bytes joined(table.size());
    if (!join(streams, starts, joined) ||
        !std::equal(joined.begin(), joined.end(), table.begin())) {
      return std::nullopt;
    }
    return streams;
  } catch (const NotSplit&) {
    return std::nullopt;
  }
}

}  // namespace whittle::packer
