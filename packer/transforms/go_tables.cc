// SPDX-License-Identifier: MIT
//
// Splitting Go's function table: the mirror image of stub/transforms/go_tables.cc, function by
// function in the same order. A table is taken apart only if it is what Go's linker writes, in each
// offset: `require` ends the attempt otherwise. What was not thought of shows at the end, when the
// streams are joined and compared.
#include "packer/transforms/go_tables.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "packer/stub/transforms/go_model.h"
#include "packer/transforms/go_reader.h"
#include "packer/transforms/parts.h"

namespace whittle::packer {
namespace {

using namespace stub;
using namespace go;

constexpr std::string_view kTooManySlots =
    "has more steps or inlined calls than a stub has room for";

class Splitter {
 public:
  Splitter(const Parsed& parsed, const Located& located, ByteView region)
      : region_(region),
        parsed_(parsed),
        located_(located),
        header_(parsed_.header),
        streams_(kGoStreamCount),
        buckets_(kHashed),
        guesses_(kHashed),
        entries_(region.size() / 3 + 2),
        memory_(buckets_.data(), entries_.data(), static_cast<std::uint32_t>(entries_.size() - 2)) {
  }

  std::vector<Bytes> split() {
    try {
      return split_region();
    } catch (NotSplit& failure) {
      failure.function = function_;
      throw;
    }
  }

 private:
  std::vector<Bytes> split_region() {
    read_pc_tables();
    const std::uint32_t table = located_.table;
    parameters_[kTableOffset] = table;
    parameters_[kFunctionsEnd] = table + parsed_.functions_end;
    parameters_[kGoFuncOffset] = located_.go_func;
    parameters_[kFindFuncOffset] = located_.find_func;
    parameters_[kFunctionAlign] = function_align();
    parameters_[kDepthUnit] = depth_unit();
    parameters_[kMostSlots] = 1;
    for (const Function& function : parsed_.functions) {
      parameters_[kMostSlots] = std::max(parameters_[kMostSlots], tree_size(parsed_, function) + 1);
    }
    require(parameters_[kMostSlots] <= std::min<std::size_t>(region_.size() / 2, kGoMaxSlots),
            kTooManySlots);
    slots_.resize(parameters_[kMostSlots]);
    plain_ = Bytes(region_.begin(), region_.end());
    split_names();
    split_functions();
    if (const std::uint32_t find = located_.find_func; find != kNowhere) {
      const std::size_t size = find_functions(parsed_).size();
      require(in_bounds(find, size, plain_.size()), "has a findfunctab beyond its end");
      std::fill_n(plain_.begin() + find, size, std::uint8_t{0});
    }
    plain(0, table + header_.names);
    plain(table + header_.units, table + header_.pcs);
    plain(table + parsed_.functions_end, static_cast<std::uint32_t>(region_.size()));
    parameters_[kMemoryNodes] = memory_.size() + 1;
    require(parameters_[kMostSlots] <= kGoMaxSlots, kTooManySlots);
    Bytes& parameters = streams_[kParameters];
    parameters.resize(sizeof parameters_);
    std::memcpy(parameters.data(), parameters_, sizeof parameters_);
    return std::move(streams_);
  }

  // All of them, so that a damaged one is blamed on the first function that refers to it.
  void read_pc_tables() {
    for (function_ = 0; function_ < parsed_.functions.size(); function_++) {
      for (const std::uint32_t offset : parsed_.functions[function_].tables) {
        if (offset != 0) parsed_.pc_table(offset);
      }
    }
    function_ = kNowhere;
  }

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
    require(begin <= end && end <= plain_.size(), "has parts in another order");
    streams_[kPlain].insert(streams_[kPlain].end(), plain_.begin() + begin, plain_.begin() + end);
  }

  void split_names() {
    std::uint32_t before = header_.names, at = header_.names;
    while (at != header_.units) {
      const std::uint32_t size = parsed_.name_size(at - header_.names);
      require(parsed_.table[at + size - 1] == 0, "has a name without an end");
      std::uint32_t shared = 0;
      while (shared < kFirstSplit - 1 && shared + 1 < size && before + shared < at &&
             parsed_.table[before + shared] == parsed_.table[at + shared]) {
        shared++;
      }
      byte(kNamePrefixes, shared);
      streams_[kNameSuffixes].insert(streams_[kNameSuffixes].end(),
                                     parsed_.table.begin() + at + shared,
                                     parsed_.table.begin() + at + size);
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

  std::uint32_t depth_unit() const {
    constexpr std::uint32_t kWord = 8;
    for (const Function& function : parsed_.functions) {
      if (function.tables[kSp] == 0) continue;
      const std::vector<Run>& runs = parsed_.pc_table(function.tables[kSp]).runs;
      for (const Run& run : runs) {
        if ((run.value - runs.front().value) % kWord != 0) return 1;
      }
    }
    return kWord;
  }

  void take_new_name() { next_name_ += parsed_.name_size(next_name_); }
  bool is_new_name(std::uint32_t name) const {
    return name == next_name_ && name < header_.units - header_.names;
  }

  // A reference to something known; explicit where the memory does not reach it.
  void reference(GoStream stream, std::uint32_t key, std::uint32_t value) {
    const std::uint32_t rank = memory_.rank(key, value);
    if (rank < GoMemory::kRanks) {
      number(stream, kRanked + rank);
      memory_.take(key, rank);
    } else {
      number(stream, kExplicit);
      wide(value);
      memory_.add(key, value);
    }
  }

  void split_functions() {
    positions_.use(slots_.data(), parameters_[kMostSlots], guesses_.data(),
                   static_cast<std::uint32_t>(region_.size()));
    std::uint32_t entry = parsed_.functions.front().entry, unit = 0, end_line = 0;
    std::uint32_t data_end[kMaxColumns] = {};
    std::set<std::uint32_t> known_data[kMaxColumns];
    number(kFunctionMisc, entry);
    for (std::size_t i = 0; i < parsed_.functions.size(); i++) {
      const Function& function = parsed_.functions[i];
      function_ = static_cast<std::uint32_t>(i);
      number(kShapes, static_cast<std::uint32_t>(function.tables.size()) - kPcData);
      number(kShapes, static_cast<std::uint32_t>(function.data.size()));
      number(kShapes, function.flag);
      number(kShapes, function.id);
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
      if (header_.start_lines) {
        number(kStartLines, zigzag(function.start_line - end_line));
        end_line = function.start_line;
      }
      positions_.begin(end_line, unit);

      std::uint32_t tree = 0, nodes = 0;
      for (std::uint32_t j = 0; j < function.data.size(); j++) {
        const std::uint32_t offset = function.data[j], key = data_key(j, function.arguments);
        if (offset == ~0U) {
          number(kDataReferences, kNone);
        } else if (known_data[j].insert(offset).second) {
          number(kDataReferences, kNew);
          number(kDataOffsets, zigzag(offset - data_end[j]));
          data_end[j] = offset;
          memory_.add(key, offset);
          if (j == kTreeData && located_.go_func != kNowhere) {
            nodes = tree_size(parsed_, function);
            tree = located_.go_func + offset;
            if (!tree_fits(function, std::uint64_t{located_.go_func} + offset, nodes)) nodes = 0;
            require(tree % 4 == 0 && tree <= region_.size(), "has an inlining tree elsewhere");
            number(kTreeSizes, nodes);
            data_end[j] += node_size(header_) * nodes;
            split_tree(tree, nodes);
          }
        } else {
          reference(kDataReferences, key, offset);
        }
      }
      const std::uint32_t length = split_tables(function);
      if (!steps_.empty()) end_line = positions_.slot(0).line;
      split_parents(tree, nodes);
      if (nodes != 0) {
        std::fill_n(plain_.begin() + tree, node_size(header_) * nodes, std::uint8_t{0});
      }
      entry += length * header_.quantum;
      const bool last = i + 1 == parsed_.functions.size();
      if (!last) entry = align_to(entry, parameters_[kFunctionAlign]);
      const std::uint32_t next = last ? parsed_.end_entry : parsed_.functions[i + 1].entry;
      number(kFunctionMisc, zigzag(next - entry));
      entry = next;
    }
    function_ = kNowhere;
  }

  bool is_new_table(std::uint32_t offset) const {
    return offset != 0 && !known_tables_.contains(offset);
  }

  // Whether this function is the first to use its table of lines, so that steps describe it. The
  // linker stores equal tables once, whatever columns they belong to: a table of lines that equals
  // the function's pcsp or pcfile (line number and file number may be the same) was written as
  // that, and is a reference.
  bool has_new_positions(const Function& function) const {
    const std::uint32_t lines = function.tables[kLine];
    return is_new_table(lines) && lines != function.tables[kSp] && lines != function.tables[kFile];
  }

  // Whether a tree is in the region and says what the tables of positions say, which must be new.
  bool tree_fits(const Function& function, std::uint64_t tree, std::uint32_t nodes) const {
    const std::uint32_t stride = node_size(header_);
    if (!has_new_positions(function) || tree % 4 != 0 ||
        !in_bounds(tree, std::uint64_t{stride} * nodes, region_.size())) {
      return false;
    }
    const auto value_at = [&](std::uint32_t kind, std::uint32_t pc) {
      const std::vector<Run>& runs = parsed_.pc_table(function.tables[kind]).runs;
      const auto next = std::upper_bound(
          runs.begin(), runs.end(), pc, [](std::uint32_t p, const Run& run) { return p < run.pc; });
      return (next - 1)->value;
    };
    for (std::uint32_t i = 0; i < nodes; i++, tree += stride) {
      const std::uint8_t* node = &region_[tree];
      if (header_.start_lines) {
        if (load32(node) >> 31 != 0) return false;
        continue;
      }
      const std::uint32_t pc = load32(node + 16) / header_.quantum;
      if (function.tables[kFile] == 0 || load32(node + 4) != value_at(kFile, pc) ||
          load32(node + 8) != value_at(kLine, pc) ||
          (load32(node) & 0xffff) != (value_at(kTreeIndex, pc) & 0xffff)) {
        return false;
      }
    }
    return true;
  }

  void split_tree(std::uint32_t tree, std::uint32_t nodes) {
    std::uint32_t before = kNoName;
    for (; nodes != 0; nodes--, tree += node_size(header_)) {
      const std::uint32_t key = name_key(before);
      before = load32(&region_[tree + node_name_at(header_)]);
      if (is_new_name(before)) {
        number(kNodeNames, kNew);
        take_new_name();
        memory_.add(key, before);
      } else {
        reference(kNodeNames, key, before);
      }
      std::uint32_t& expected = positions_.guess(~before);
      const std::uint32_t id = load32(&region_[tree]) >> node_id_shift(header_);
      const std::uint32_t start = header_.start_lines ? load32(&region_[tree + 12]) : expected;
      number(kNodeMisc, 2 * id + (start != expected ? 1 : 0));
      if (start != expected) number(kNodeStartLines, start);
      expected = start;
      require(positions_.add_node(before, start), kTooManySlots);
    }
  }

  void split_parents(std::uint32_t tree, std::uint32_t nodes) {
    std::uint32_t step = 0;
    for (std::uint32_t i = 1; i <= nodes; i++, tree += node_size(header_)) {
      if (positions_.slot(i).step != kNowhere) step = positions_.slot(i).step;
      const std::uint32_t pc =
          load32(&region_[tree + node_size(header_) - (header_.start_lines ? 8 : 4)]);
      const auto next = std::upper_bound(steps_.begin(), steps_.end(), pc / header_.quantum);
      const auto to = static_cast<std::uint32_t>(next - steps_.begin()) - 1;
      const std::uint32_t rest = pc - steps_[to] * header_.quantum;
      number(kNodeParents, zigzag(to - step) << 1 | (rest != 0 ? 1 : 0));
      if (rest != 0) wide(rest);
    }
  }

  // References to the pc tables and those that are new. Returns the function's length.
  std::uint32_t split_tables(const Function& function) {
    steps_.clear();
    const std::uint32_t lines = function.tables[kLine];
    const std::uint32_t length = lines == 0 ? 0 : parsed_.pc_table(lines).length;
    const auto count = static_cast<std::uint32_t>(function.tables.size());
    const bool new_positions = has_new_positions(function);
    // That of the lines comes first, because it tells the length.
    const auto refer = [&](std::uint32_t kind) {
      const std::uint32_t offset = function.tables[kind];
      if (offset == 0) {
        number(kTableReferences, kNone);
      } else if (is_new_table(offset) && (kind != kLine || new_positions)) {
        number(kTableReferences, kNew);
      } else {
        reference(kTableReferences, table_key(kind, length), offset);
      }
    };
    if (new_positions) {
      refer(kLine);
      split_positions(function);
    } else {
      number(kStepPcs, length);  // before an explicit reference: both may be wide numbers
      refer(kLine);
    }
    for (std::uint32_t i = 0; i < count; i++) {
      const std::uint32_t kind = table_in_order(i, count), offset = function.tables[kind];
      const bool is_new = is_new_table(offset);
      if (kind != kLine) refer(kind);
      if (!is_new) continue;
      require(offset == next_table_, "has a new pc table that does not follow the last new one");
      const PcTable& pc_table = parsed_.pc_table(offset);
      require(pc_table.length == length, "has pc tables of different lengths");
      next_table_ += pc_table.size;
      known_tables_.insert(offset);
      memory_.add(table_key(kind, length), offset);
      if (steps_.empty() || !is_position(kind)) split_pc_table(pc_table, value_stream(kind));
    }
    return length;
  }

  void split_pc_table(const PcTable& pc_table, std::uint32_t stream) {
    const std::uint32_t unit = stream == kSpValues ? parameters_[kDepthUnit] : 1;
    std::uint32_t value = ~0U, before = 0;
    for (std::size_t i = 0; i < pc_table.runs.size(); i++) {
      const Run& run = pc_table.runs[i];
      const std::uint32_t delta = zigzag(run.value - value);
      const std::uint32_t sign = delta & 1;
      number(stream, i == 0                    ? delta
                     : delta == negate(before) ? 1
                                               : (delta + sign) / unit - sign + 1);
      if (i != 0) number(stream + 1, run.pc - pc_table.runs[i - 1].pc);
      value = run.value;
      before = delta;
    }
    number(stream, 0);
  }

  void split_positions(const Function& function) {
    static const PcTable kNothing;
    const auto table_of = [&](std::uint32_t kind) -> const PcTable& {
      if (kind >= function.tables.size() || function.tables[kind] == 0) return kNothing;
      return parsed_.pc_table(function.tables[kind]);
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
    GoStep& now = positions_.now;
    for (std::uint32_t pc = 0;;) {
      const std::uint32_t line = value_at(lines, next_line, pc);
      const std::uint32_t file = value_at(files, next_file, pc);
      const std::uint32_t slot = value_at(trees, next_tree, pc) + 1;
      std::uint32_t action = kStay, stream = kLinesSame;
      if (slot != now.node + 1) {
        std::uint32_t rank = 0;
        if (slot == positions_.next_slot()) {
          action = kNextSlot;
        } else {
          action = kExplicitSlot;
          for (std::uint32_t r = 1; r < positions_.recent_count(); r++) {
            if (positions_.recent(r) != slot) continue;
            rank = r;
            action = kRecent + r;
            break;
          }
          if (action == kExplicitSlot) wide(zigzag(slot - now.node - 1));
        }
        stream = positions_.enter(slot, rank, static_cast<std::uint32_t>(steps_.size()));
        require(stream != 0, kTooManySlots);
      }
      const bool expected_line = line == now.line;
      const bool other_file = file != now.file && !files.runs.empty();
      byte(kStepKinds,
           1 + 4 * action + (expected_line ? kExpectedLine : 0) + (other_file ? kOtherFile : 0));
      if (!expected_line) number(stream, zigzag(line - now.line));
      now.line = line;
      if (other_file) {
        wide(zigzag(file - now.file));
        now.file = file;
      }
      steps_.push_back(pc);
      const std::uint32_t next = std::min(
          {next_pc(lines, next_line), next_pc(files, next_file), next_pc(trees, next_tree)});
      number(kStepPcs, next - pc);
      if (next == lines.length) break;
      require(next > pc, "has a pc table with an empty run");
      pc = next;
    }
    positions_.leave();
    byte(kStepKinds, 0);
    parameters_[kMostSlots] =
        std::max(parameters_[kMostSlots], static_cast<std::uint32_t>(steps_.size()));
  }

  ByteView region_;
  const Parsed& parsed_;
  const Located& located_;
  const GoHeader& header_;
  std::vector<Bytes> streams_;
  std::vector<std::uint32_t> buckets_, guesses_;
  std::vector<GoMemory::Entry> entries_;
  std::vector<GoSlot> slots_;
  GoMemory memory_;
  GoPositions positions_;
  Bytes plain_;  // the region, 0 where it is modelled
  std::uint32_t parameters_[kGoParameterCount] = {};
  std::uint32_t next_name_ = 0, next_table_ = 1;
  std::set<std::uint32_t> known_tables_;
  std::vector<std::uint32_t> steps_;   // pcs of the function in hand
  std::uint32_t function_ = kNowhere;  // the function in hand, for the reason of a failure
};

// False: damaged.
bool join(const StreamView* streams, std::size_t count, std::uint8_t* region, std::size_t size) {
  const std::size_t scratch_size = go_table_scratch(streams, count, size);
  std::vector<std::uint64_t> scratch((scratch_size + 7) / 8);
  return stub::join_go_table(streams, count, region, size,
                             reinterpret_cast<std::uint8_t*>(scratch.data()), scratch_size);
}

// The same bytes at an aligned address, as read_go_header wants them.
ByteView aligned(ByteView bytes, Bytes& copy) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 4 == 0) return bytes;
  copy.assign(bytes.begin(), bytes.end());
  return copy;
}

}  // namespace

std::vector<GoTable> find_go_tables(ByteView segment, const GoTableFailure& on_failure) {
  std::vector<GoTable> tables;
  Bytes copy;
  for_each_table(
      aligned(segment, copy),
      [&](const Parsed&, const Located& at) {
        // What lies between two tables belongs to one of them.
        if (tables.empty() || tables.back().offset + tables.back().size <= at.begin) {
          tables.push_back({at.begin, at.end - at.begin});
        }
        return false;
      },
      on_failure);
  return tables;
}

Split split_go_table(ByteView region) {
  Split result;
  Bytes copy;
  region = aligned(region, copy);
  for_each_table(
      region,
      [&](const Parsed& parsed, const Located& located) {
        auto streams = Splitter(parsed, located, region).split();
        if (joins_to(region, streams, join)) {
          result = std::move(streams);
        } else {
          result.why = kJoinsToOther;
        }
        return true;
      },
      [&](std::uint64_t, std::string why) { result.why = std::move(why); });
  return result;
}

}  // namespace whittle::packer
