// SPDX-License-Identifier: MIT
#include "packer/stub/go_tables.h"

#include "packer/stub/go_model.h"

namespace whittle::stub {
namespace {

// Bytes of a stream.
struct Reader {
  const uint8_t* at;
  const uint8_t* end;
};

inline uint32_t zigzag(uint32_t delta) { return delta << 1 ^ (0 - (delta >> 31)); }
inline uint32_t unzigzag(uint32_t value) { return value >> 1 ^ (0 - (value & 1)); }

// Where a pc table is written to. Small and passed by value, so that it stays in registers.
struct Writer {
  uint8_t* at;
  uint8_t* end;  // at is one behind it once there was no room

  bool full() const { return at > end; }
  [[gnu::always_inline]] void put(uint32_t value) {
    if (value < 0x80 && at < end) {
      *at++ = static_cast<uint8_t>(value);
    } else {
      at = put_long(at, end, value);
    }
  }
  [[gnu::noinline]] static uint8_t* put_long(uint8_t* at, uint8_t* end, uint32_t value) {
    while (at < end) {
      if (value < 0x80) {
        *at = static_cast<uint8_t>(value);
        return at + 1;
      }
      *at++ = static_cast<uint8_t>(value | 0x80);
      value >>= 7;
    }
    return end + 1;
  }
  [[gnu::noinline]] static uint8_t* put_pair(uint8_t* at, uint8_t* end, uint32_t first,
                                             uint32_t second) {
    return put_long(put_long(at, end, first), end, second);
  }
};

// One of the tables of positions on its way: a pair of deltas for each run of a value.
struct RunWriter {
  Writer out;
  uint32_t value, pc;

  void begin(uint32_t first) {
    value = first;
    out.at = Writer::put_long(out.at, out.end, zigzag(first + 1));
  }
  // For what changes often, in line.
  [[gnu::always_inline]] void change(uint32_t next, uint32_t here) {
    out.put(here - pc);
    out.put(zigzag(next - value));
    value = next;
    pc = here;
  }
  void change_rarely(uint32_t next, uint32_t here) {
    out.at = Writer::put_pair(out.at, out.end, here - pc, zigzag(next - value));
    value = next;
    pc = here;
  }
  void end(uint32_t length) { out.at = Writer::put_pair(out.at, out.end, length - pc, 0); }
};

struct Join {
  uint8_t* table;
  size_t size;
  Reader streams[kGoStreamCount];
  GoHeader header;
  uint32_t parameters[kGoParameterCount];

  uint8_t* scratch;
  GoScratch at;

  Writer pcs;           // pctab
  uint32_t next_name;   // offset of the first name not yet used
  uint32_t plain_tail;  // up to where the bytes behind the functions stand
  uint32_t step_count;

  InstructionStarts instructions;
  bool counted;       // lengths of runs are in instructions
  uint64_t code_bit;  // of the function in hand in starts

  size_t budget;  // bytes of pc tables that may be walked to learn a length
  bool damaged;   // a stream was too short

  [[gnu::always_inline]] uint32_t byte(Reader& from) {
    if (from.at != from.end) return *from.at++;
    damaged = true;
    return 0;
  }
  uint32_t byte(uint32_t stream) { return byte(streams[stream]); }
  [[gnu::noinline]] uint32_t varint(Reader& from) {
    uint32_t value = 0, part = 0x80;
    for (uint32_t shift = 0; shift < 32 && part >= 0x80; shift += 7) {
      part = byte(from);
      value |= (part & 0x7f) << shift;
    }
    return value;
  }
  uint32_t wide() { return varint(streams[kWide]); }

  // Those of 224 and more are rare, and their lowest 8 bits are noise: these stand apart.
  [[gnu::always_inline]] uint32_t number(Reader& from) {
    const uint32_t first = byte(from);
    return first < kFirstSplit ? first : long_number(first);
  }
  [[gnu::noinline]] uint32_t long_number(uint32_t first) {
    if (first == 255) return wide();
    return kFirstSplit + (first - kFirstSplit) * 256 + byte(kLowBytes);
  }
  [[gnu::noinline]] uint32_t number(uint32_t stream) { return number(streams[stream]); }

  // The pc that a number of a stream of pcs leads to from another.
  [[gnu::always_inline]] uint32_t advance(uint32_t pc, uint32_t length) {
    return counted ? skip_instructions(pc, length) : pc + length;
  }
  [[gnu::noinline]] uint32_t skip_instructions(uint32_t pc, uint32_t count) {
    if (count == 0) return pc + wide();
    for (uint64_t bit = code_bit + pc + 1; budget >= 8; budget -= 8) {
      const uint64_t at_byte = bit >> 3;
      if (at_byte >= instructions.size || instructions.size - at_byte < 8) break;
      uint64_t word;
      __builtin_memcpy(&word, instructions.data + at_byte, 8);
      word >>= bit & 7;
      for (; word != 0; word &= word - 1) {
        if (--count == 0) {
          return static_cast<uint32_t>(bit - code_bit) +
                 static_cast<uint32_t>(__builtin_ctzll(word));
        }
      }
      bit = (at_byte + 8) * 8;
    }
    damaged = true;
    return pc;
  }

  [[gnu::cold, gnu::noinline]] bool copy_plain(uint32_t begin, uint32_t end) {
    Reader& plain = streams[kPlain];
    if (begin > end || end > size || end - begin > static_cast<size_t>(plain.end - plain.at)) {
      return false;
    }
    __builtin_memcpy(table + begin, plain.at, end - begin);
    plain.at += end - begin;
    return true;
  }

  // The names, front-coded.
  bool join_names() {
    uint8_t* out = table + header.names;
    uint8_t* const end = table + header.units;
    const uint8_t* before = out;
    Reader prefixes = streams[kNamePrefixes], suffixes = streams[kNameSuffixes];
    while (out != end) {
      uint32_t shared = byte(prefixes);
      uint8_t* const name = out;
      if (shared > static_cast<size_t>(out - before) || shared > static_cast<size_t>(end - out)) {
        return false;
      }
      for (; shared != 0; shared--) *out++ = *before++;
      uint32_t last;
      do {
        if (out == end) return false;
        last = byte(suffixes);
        *out++ = static_cast<uint8_t>(last);
      } while (last != 0);
      before = name;
    }
    streams[kNamePrefixes] = prefixes;
    streams[kNameSuffixes] = suffixes;
    return true;
  }

  uint32_t take_new_name() {
    const uint32_t name = next_name;
    const uint8_t* at_name = table + header.names;
    const uint32_t end = header.units - header.names;
    // Eight bytes at a time: the lowest zero byte is where the lowest bit of this is set.
    while (end - next_name >= 8 && end >= next_name) {
      uint64_t bytes;
      __builtin_memcpy(&bytes, at_name + next_name, 8);
      const uint64_t zeros = (bytes - 0x0101010101010101) & ~bytes & 0x8080808080808080;
      if (zeros != 0) {
        next_name += static_cast<uint32_t>(__builtin_ctzll(zeros) / 8) + 1;
        return name;
      }
      next_name += 8;
    }
    while (next_name < end && at_name[next_name++] != 0) {
    }
    return name;
  }

  // The pc that a table in pctab runs to.
  bool length_of(uint32_t offset, uint32_t& length) {
    const uint8_t* begin = table + header.pcs;
    if (offset >= static_cast<size_t>(pcs.at - begin)) return false;
    Reader from{begin + offset, pcs.at};
    length = 0;
    varint(from);
    do {
      length += varint(from);
    } while (varint(from) != 0 && from.at != from.end);
    const size_t walked = static_cast<size_t>(from.at - (begin + offset));
    if (walked > budget) return false;
    budget -= walked;
    return true;
  }

  // A pc table from its two streams; its last run goes on to the end of the function.
  [[gnu::noinline]] bool join_pc_table(uint32_t stream, uint32_t length) {
    const uint32_t pc_stream = stream == kSpValues ? uint32_t{kSpPcs} : stream + 1;
    Reader values = streams[stream], deltas = streams[pc_stream];
    RunWriter run{pcs, ~0U, 0};
    GoRecent recent;
    uint32_t pc = 0;
    for (bool begun = false;; begun = true) {
      uint32_t value = number(values);
      if (value == 0 && (begun || stream == kSpValues)) break;
      if (stream == kSpValues) {
        const uint32_t rank = value - 1;
        if (rank > GoRecent::kCount) return false;
        value = rank == GoRecent::kCount ? frame_of(number(kSpFrames)) : recent.value(rank);
        recent.use(rank, value);
      } else {
        value = run.value + unzigzag(value);
      }
      if (begun) {
        pc = advance(pc, number(deltas));
        run.change(value, pc);
      } else {
        run.begin(value);
      }
    }
    run.end(length);
    streams[stream] = values;
    streams[pc_stream] = deltas;
    pcs = run.out;
    return !pcs.full();
  }

  Writer room(uint32_t begin) {
    return {scratch + begin, scratch + begin + parameters[kLargestTable]};
  }

  // The three tables of positions, into scratch memory.
  [[gnu::noinline]] bool join_positions(GoPositions& positions, Writer* joined, uint32_t& length) {
    uint32_t* steps = reinterpret_cast<uint32_t*>(scratch + at.steps);
    const uint32_t most_steps = parameters[kMostSteps];
    RunWriter files{room(at.file_bytes), 0, 0}, lines{room(at.lines), 0, 0},
        trees{room(at.trees), 0, 0};
    Reader kinds = streams[kStepKinds], deltas = streams[kStepPcs], same = streams[kLinesSame];
    uint32_t pc = 0, step = 0;
    uint32_t line = positions.now.line, file = positions.now.file;
    while (uint32_t kind = byte(kinds)) {
      if (step >= most_steps) return false;
      kind--;
      uint32_t before = line;
      if (kind >= 4 * kNextSlot) {
        positions.now.line = line;
        positions.now.file = file;
        uint32_t slot = positions.next_slot(), rank = 0;
        const uint32_t action = kind >> 2;
        if (action == kExplicitSlot) {
          slot = positions.now.slot + unzigzag(wide());
        } else if (action > kExplicitSlot) {
          rank = action - kRecent;
          if (rank >= positions.recent_count()) return false;
          slot = positions.recent(rank);
        }
        if (!positions.enter(slot, rank, step)) return false;
        file = positions.slot(slot).file;
        if ((kind & kSameLine) == 0) {
          line = positions.slot(slot).line + unzigzag(number(positions.line_stream()));
        }
        if (step != 0) trees.change_rarely(slot - 1, pc);
      } else if ((kind & kSameLine) == 0) {
        line += unzigzag(number(same));
      }
      if ((kind & kOtherFile) != 0) file += unzigzag(wide());
      if (step == 0) {
        files.begin(file);
        lines.begin(line);
        trees.begin(positions.now.slot - 1);
      } else {
        if (file != files.value) files.change_rarely(file, pc);
        if (line != before) lines.change(line, pc);
      }
      steps[step++] = pc;
      pc = advance(pc, number(deltas));
    }
    positions.now.line = line;
    positions.now.file = file;
    positions.leave();
    files.end(pc);
    lines.end(pc);
    trees.end(pc);
    joined[0] = files.out;
    joined[1] = lines.out;
    joined[2] = trees.out;
    streams[kStepKinds] = kinds;
    streams[kStepPcs] = deltas;
    streams[kLinesSame] = same;
    step_count = step;
    length = pc;
    return !files.out.full() && !lines.out.full() && !trees.out.full();
  }

  // References to pc tables, and those tables that are new.
  [[gnu::cold, gnu::noinline]] bool join_tables(uint8_t* function, uint32_t pcdata_at,
                                                uint32_t pcdata, uint32_t start_line,
                                                GoMemory& memory, GoPositions& positions,
                                                uint32_t& length) {
    Reader& references = streams[kTableReferences];
    const auto written = [&] { return static_cast<uint32_t>(pcs.at - (table + header.pcs)); };
    Writer joined[3];
    length = 0;
    const uint32_t line_reference = byte(references);
    const bool stepped = line_reference == kNew;
    if (stepped) {
      if (!join_positions(positions, joined, length)) return false;
    } else if (line_reference != kNone) {
      uint32_t offset = 0;
      if (line_reference == kExplicit) {
        offset = wide();
      } else if (!memory.take(line_table_key(start_line), line_reference - kRanked, offset)) {
        return false;
      }
      store32(function + 4 * kLine, offset);
      if (!length_of(offset, length)) return false;
    } else {
      store32(function + 4 * kLine, 0);
    }
    for (uint32_t i = 0; i < kPcData + pcdata; i++) {
      const uint32_t kind = table_in_order(i, pcdata);
      const uint32_t reference = kind == kLine ? line_reference : byte(references);
      if (kind == kLine && !stepped) continue;
      const uint32_t key = kind == kLine ? line_table_key(start_line) : table_key(kind, length);
      uint32_t offset = 0;
      if (reference == kNew) {
        offset = written();
        memory.add(key, offset);
        if (stepped && (kind == kFile || kind == kLine || kind == kTreeIndex)) {
          const uint32_t which = kind == kTreeIndex ? 2 : kind - kFile;
          const uint32_t begin = which == 0 ? at.file_bytes : which == 1 ? at.lines : at.trees;
          const size_t bytes = static_cast<size_t>(joined[which].at - (scratch + begin));
          if (bytes > static_cast<size_t>(pcs.end - pcs.at)) return false;
          __builtin_memcpy(pcs.at, scratch + begin, bytes);
          pcs.at += bytes;
        } else {
          if (!join_pc_table(value_stream(kind), length)) return false;
        }
      } else if (reference == kExplicit) {
        offset = wide();
        memory.add(key, offset);
      } else if (reference >= kRanked) {
        if (!memory.take(key, reference - kRanked, offset)) return false;
      }
      store32(kind < kPcData ? function + 4 * kind : table + pcdata_at + 4 * (kind - kPcData),
              offset);
    }
    return true;
  }

  // The nodes of a new inlining tree but for their parents' places.
  [[gnu::cold, gnu::noinline]] bool join_tree(uint32_t tree, uint32_t nodes, GoMemory& memory,
                                              GoPositions& positions) {
    if (tree < plain_tail || tree > size || nodes > (size - tree) / 16 ||
        !copy_plain(plain_tail, tree)) {
      return false;
    }
    plain_tail = tree + 16 * nodes;
    uint32_t* starts = reinterpret_cast<uint32_t*>(scratch + at.starts);
    uint32_t before = kNoName;
    for (; nodes != 0; nodes--, tree += 16) {
      const uint32_t key = name_key(before);
      const uint32_t reference = byte(kNodeNames);
      uint32_t name = 0;
      if (reference >= kRanked) {
        if (!memory.take(key, reference - kRanked, name)) return false;
      } else {
        if (reference == kNew) {
          name = take_new_name();
        } else {
          for (uint32_t i = 0; i < 3; i++) name |= byte(kNodeNameOffsets) << (8 * i);
        }
        memory.add(key, name);
      }
      before = name;
      uint32_t& start = starts[hash_of(name)];
      const uint32_t misc = byte(kNodeMisc);
      if ((misc & 1) != 0) start = number(kNodeStartLines);
      store32(table + tree, (misc & 2) != 0 ? wide() : 0);
      store32(table + tree + 4, name);
      store32(table + tree + 12, start);
      if (!positions.add_node(name, start)) return false;
    }
    return true;
  }

  [[gnu::cold, gnu::noinline]] void join_parents(uint32_t tree, uint32_t nodes,
                                                 const GoPositions& positions) {
    const uint32_t* steps = reinterpret_cast<const uint32_t*>(scratch + at.steps);
    uint32_t step = 0;
    for (uint32_t i = 1; i <= nodes; i++, tree += 16) {
      if (positions.slot(i).seen) step = positions.slot(i).step;
      const uint32_t here = step < step_count ? steps[step] * header.quantum : 0;
      const uint32_t distance = byte(kNodeParents);
      uint32_t parent;
      const uint32_t to = step + unzigzag(distance);
      if (distance != 255 && to < step_count) {
        parent = steps[to] * header.quantum;
      } else {
        parent = here + unzigzag(wide());
      }
      store32(table + tree + 8, parent);
    }
  }

  [[gnu::cold, gnu::noinline]] bool join_functions() {
    GoMemory memory(reinterpret_cast<uint32_t*>(scratch + at.buckets),
                    reinterpret_cast<GoMemory::Entry*>(scratch + at.entries),
                    parameters[kMemoryNodes]);
    GoPositions positions(reinterpret_cast<GoSlot*>(scratch + at.slots), parameters[kMostSlots],
                          reinterpret_cast<uint32_t*>(scratch + at.files), size);
    const uint32_t fixed = header.start_lines ? 44 : 40;
    const uint32_t align = parameters[kFunctionAlign];
    uint32_t entry = number(kFunctionMisc), unit = 0, end_line = 0;
    uint32_t data_end[kMaxColumns] = {};
    uint32_t to = header.functab + 8 * header.functions + 4;
    uint8_t* functab = table + header.functab;
    for (uint32_t i = 0; i < header.functions; i++, functab += 8) {
      const uint32_t from = header.functab + align_to(to - header.functab, 8);
      Reader& shapes = streams[kShapes];
      const uint32_t pcdata = byte(shapes), data = byte(shapes);
      const uint32_t flag = byte(shapes), id = byte(shapes);
      if (from > size || fixed + 4 * (pcdata + data) > size - from || data > kMaxColumns) {
        return false;
      }
      __builtin_memset(table + to, 0, from - to);
      to = from + fixed + 4 * (pcdata + data);
      uint8_t* function = table + from;
      store32(functab, entry);
      store32(functab + 4, from - header.functab);
      store32(function, entry);
      const uint32_t name = number(kFunctionMisc);
      store32(function + 4, name == 0 ? take_new_name() : unzigzag(name - 1) + next_name);
      const uint32_t arguments = number(kArguments);
      store32(function + 8, arguments);
      store32(function + 12, number(kFunctionMisc));
      store32(function + 28, pcdata);
      unit += unzigzag(number(kFunctionMisc));
      store32(function + 32, unit);
      uint32_t start_line = end_line;
      if (header.start_lines) {
        start_line += unzigzag(number(kStartLines));
        store32(function + 36, start_line);
      }
      store32(function + fixed - 4, id | flag << 8 | data << 24);
      positions.begin(start_line, unit);
      code_bit = uint64_t{parameters[kCodeOffset]} + entry;
      step_count = 0;

      uint32_t tree = 0, nodes = 0;
      uint8_t* column = table + to - 4 * data;
      for (uint32_t j = 0; j < data; j++, column += 4) {
        const uint32_t reference = byte(kDataReferences);
        const uint32_t key = data_key(j, arguments);
        uint32_t offset = 0xffffffff;
        if (reference == kNew) {
          offset = data_end[j] + unzigzag(number(kDataOffsets));
          data_end[j] = offset;
          memory.add(key, offset);
          if (j == kTreeData && parameters[kGoFuncOffset] != 0) {
            nodes = number(kTreeSizes);
            data_end[j] += 16 * nodes;
            tree = parameters[kGoFuncOffset] + offset;
          }
        } else if (reference == kExplicit) {
          offset = wide();
          memory.add(key, offset);
        } else if (reference >= kRanked) {
          if (!memory.take(key, reference - kRanked, offset)) return false;
        }
        store32(column, offset);
      }
      if (nodes != 0) {
        if (!join_tree(tree, nodes, memory, positions)) return false;
      }
      uint32_t length;
      if (!join_tables(function + 16, from + fixed, pcdata, header.start_lines ? start_line : 0,
                       memory, positions, length)) {
        return false;
      }
      if (step_count != 0) end_line = positions.slot(0).line;
      join_parents(tree, nodes, positions);
      entry += length * header.quantum;
      if (i + 1 != header.functions) entry = align_to(entry, align);
      entry += unzigzag(number(kFunctionMisc));
    }
    store32(functab, entry);
    return to == parameters[kFunctionsEnd];
  }

  // findfunctab: for each 256 bytes of code the function that they begin in, in groups of 16.
  bool join_find_functions(uint32_t begin, uint32_t& end) {
    const uint8_t* functab = table + header.functab;
    const uint32_t first = load32(functab), last = load32(functab + 8 * header.functions);
    const uint32_t count = (last - first + 255) >> 8;
    const uint32_t bytes = count + 4 * ((count + 15) >> 4);
    if (begin > size || bytes > size - begin) return false;
    end = begin + bytes;
    uint8_t* out = table + begin;
    uint32_t function = 0, base = 0;
    for (uint32_t i = 0; i < count; i++) {
      while (function + 1 < header.functions &&
             load32(functab + 8 * function + 8) - first <= i << 8) {
        function++;
      }
      if ((i & 15) == 0) {
        base = function;
        store32(out, base);
        out += 4;
      }
      *out++ = static_cast<uint8_t>(function - base);
    }
    return true;
  }

  [[gnu::cold, gnu::noinline]] bool run() {
    if (size < kGoHeaderSize || !copy_plain(0, kGoHeaderSize) ||
        !read_go_header(table, size, header) || !copy_plain(kGoHeaderSize, header.names) ||
        !join_names() || !copy_plain(header.units, header.pcs)) {
      return false;
    }
    __builtin_memset(scratch + at.buckets, 0, at.slots - at.buckets);
    next_name = 0;
    plain_tail = parameters[kFunctionsEnd];
    pcs = {table + header.pcs + 1, table + header.functab};
    table[header.pcs] = 0;
    if (!join_functions()) return false;
    __builtin_memset(pcs.at, 0, static_cast<size_t>(pcs.end - pcs.at));
    if (const uint32_t find = parameters[kFindFuncOffset]; find != 0) {
      if (!copy_plain(plain_tail, find) || !join_find_functions(find, plain_tail)) return false;
    }
    if (!copy_plain(plain_tail, static_cast<uint32_t>(size))) return false;
    for (const Reader& stream : streams) damaged |= stream.at != stream.end;
    return !damaged;
  }
};

}  // namespace

size_t go_table_scratch(const StreamView* streams, size_t count, size_t size) {
  if (count != kGoStreamCount || streams[kParameters].size != 4 * kGoParameterCount) return 0;
  uint32_t parameters[kGoParameterCount];
  __builtin_memcpy(parameters, streams[kParameters].data, sizeof parameters);
  return go_parameters_fit(parameters, size) ? go_scratch(parameters).size : 0;
}

bool join_go_table(const StreamView* streams, size_t count, uint8_t* table, size_t size,
                   uint8_t* scratch, size_t scratch_size, const InstructionStarts& starts) {
  const size_t needed = go_table_scratch(streams, count, size);
  if (needed == 0 || needed > scratch_size) return false;
  Join join;
  join.table = table;
  join.size = size;
  for (uint32_t i = 0; i < kGoStreamCount; i++) {
    join.streams[i] = {streams[i].data, streams[i].data + streams[i].size};
  }
  __builtin_memcpy(join.parameters, streams[kParameters].data, sizeof join.parameters);
  join.streams[kParameters].at += sizeof join.parameters;
  join.budget = 16 * size + 64 * starts.size;
  join.damaged = false;
  join.scratch = scratch;
  join.instructions = starts;
  join.counted = join.parameters[kCodeOffset] != kNoCode;
  join.at = go_scratch(join.parameters);
  return join.run();
}

}  // namespace whittle::stub
