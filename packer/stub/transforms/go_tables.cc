// SPDX-License-Identifier: MIT
#include "packer/stub/transforms/go_tables.h"

// Functions of headers are placed in this order, and the stub folds best so.
// clang-format off
#include "packer/stub/transforms/go_model.h"
#include "packer/stub/base/system.h"
// clang-format on

namespace whittle::stub {
namespace {

// Bytes of a stream.
struct Reader {
  const uint8_t* at;
  const uint8_t* end;
  const uint8_t* kept;  // what lies before has been given back
};

// A varint, of at most 5 bytes; who calls has seen to the room.
[[gnu::noinline]] uint8_t* put_long(uint8_t* to, uint32_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<uint8_t>(value | 0x80);
  *to = static_cast<uint8_t>(value);
  return to + 1;
}
[[gnu::always_inline]] inline uint8_t* put(uint8_t* to, uint32_t value) {
  if (value >= 0x80) return put_long(to, value);
  *to = static_cast<uint8_t>(value);
  return to + 1;
}

// Memory for one slot, the step that it is entered at, and the same among those that move.
constexpr uint32_t kSlotRoom = sizeof(GoSlot) + 2 * sizeof(GoStep);
constexpr size_t kMemoryStep = 128 << 10;  // system.h

struct Join {
  // In this order because what is near the begin has short addresses.
  uint8_t* table;  // in the region
  GoHeader header;
  uint32_t next_name;  // where the next new name goes
  // Where pctab ends. A table is given up when it has gone beyond, by less than the 16 bytes that
  // functab has at least.
  uint8_t* pcs_end;
  GoMemory memory;
  GoStep* steps;  // of the function in hand
  uint8_t* pcs;   // where the next pc table goes in pctab
  const uint8_t* parameters;
  size_t size;
  uint32_t step_count;  // 0: its positions are not new
  bool damaged;         // a stream was too short, or something did not fit
  GoPositions positions;
  GoStep* moved_end;   // after the steps, up to here, are those where more than the line changes
  uint32_t last_name;  // where the name before the next new one begins
  uint8_t* region;

  Reader streams[kGoStreamCount];

  uint32_t parameter(GoParameter which) const { return load32_aligned(parameters + 4 * which); }

  [[gnu::always_inline]] uint32_t byte(Reader& from) {
    if (from.at != from.end) return *from.at++;
    damaged = true;
    return 0;
  }
  [[gnu::noinline]] uint32_t wide() {
    uint32_t value = 0, part = 0x80;
    for (uint32_t shift = 0; shift < 32 && part >= 0x80; shift += 7) {
      part = byte(streams[kWide]);
      value |= (part & 0x7f) << shift;
    }
    return value;
  }
  // Those of 224 and more are rare, and their lowest 8 bits are noise: these stand apart.
  [[gnu::noinline]] uint32_t long_number(uint32_t first) {
    if (first == 255) return wide();
    return kFirstSplit + (first - kFirstSplit) * 256 + byte(streams[kLowBytes]);
  }
  [[gnu::always_inline]] uint32_t number_inline(Reader& from) {
    const uint32_t first = byte(from);
    return first < kFirstSplit ? first : long_number(first);
  }
  [[gnu::always_inline]] uint32_t number_inline(uint32_t stream) {
    return number_inline(streams[stream]);
  }
  [[gnu::noinline]] uint32_t number(uint32_t stream) { return number_inline(stream); }
  [[gnu::noinline]] uint32_t signed_number(uint32_t stream) {
    return unzigzag(number_inline(stream));
  }

  bool fits(uint64_t offset, uint64_t length) const {
    return offset <= size && length <= size - offset;
  }

  [[gnu::noinline]] void copy_plain(uint32_t begin, uint32_t end) {
    Reader& plain = streams[kPlain];
    const size_t length = size_t{end} - begin;
    if (begin > end || end > size || length > static_cast<size_t>(plain.end - plain.at)) {
      damaged = true;
      return;
    }
    __builtin_memcpy(region + begin, plain.at, length);
    plain.at += length;
  }

  // Writes the next name, front-coded, and returns its offset. Names are used first in the order in
  // which they stand.
  [[gnu::noinline]] uint32_t new_name() {
    const uint32_t name = next_name;
    uint8_t* const end = table + header.units;
    uint8_t* const names = table + header.names;
    uint8_t* out = names + name;
    const uint8_t* before = names + last_name;
    for (uint32_t shared = number(kNamePrefixes); shared != 0 && out != end; shared--) {
      *out++ = *before++;
    }
    uint32_t last;
    do {
      if (out == end) {
        damaged = true;
        break;
      }
      last = byte(streams[kNameSuffixes]);
      *out++ = static_cast<uint8_t>(last);
    } while (last != 0);
    last_name = name;
    next_name = static_cast<uint32_t>(out - names);
    return name;
  }

  // What a reference leads to that is neither none nor new.
  [[gnu::noinline]] uint32_t recall(uint32_t reference, uint32_t key) {
    if (reference != kExplicit) return memory.take(key, reference - kRanked);
    const uint32_t value = wide();
    memory.add(key, value);
    return value;
  }

  // A pc table from its two streams; its last run goes on to the end of the function.
  [[gnu::noinline]] void join_pc_table(uint32_t stream, uint32_t end) {
    const uint32_t unit = stream == kSpValues ? parameter(kDepthUnit) : 1;
    uint32_t delta = number(stream), pc = 0;
    uint8_t* to = put_long(pcs, delta);
    const uint8_t* const to_end = pcs_end;
    Reader *const values = &streams[stream], *const lengths = values + 1;
    while (const uint32_t value = number_inline(*values)) {
      if (to > to_end) break;
      delta = next_delta(value, unit, delta);
      const uint32_t run = number_inline(*lengths);
      pc += run;
      to = put(put(to, run), delta);
    }
    finish_pc_table(to, end - pc);
  }
  [[gnu::noinline]] void finish_pc_table(uint8_t* to, uint32_t run) {
    if (to > pcs_end) {
      damaged = true;
      return;
    }
    to = put_long(to, run);
    *to = 0;
    pcs = to + 1;
  }

  // A pc table from one member of the steps.
  [[gnu::noinline]] void write_pc_table(uint32_t kind, uint32_t end) {
    const bool all = kind == kLine;
    const uint32_t GoStep::*const member = all             ? &GoStep::line
                                           : kind == kFile ? &GoStep::file
                                                           : &GoStep::node;
    const GoStep* step = all ? steps : steps + parameter(kMostSlots);
    const GoStep* const last = all ? steps + step_count : moved_end;
    uint8_t* to = pcs;
    const uint8_t* const to_end = pcs_end;
    uint32_t value = step->*member, pc = 0;
    to = put_long(to, zigzag(value + 1));
    while (++step != last) {
      const uint32_t next = step->*member;
      if (next == value) continue;
      if (to > to_end) break;
      to = put(to, step->pc - pc);
      to = put(to, zigzag(next - value));
      pc = step->pc;
      value = next;
    }
    finish_pc_table(to, end - pc);
  }

  // Word by word: one wide load of what was just written in words would have to wait for it.
  [[gnu::always_inline]] static void copy_step(GoStep& to, const GoStep& from) {
    to.pc = from.pc;
    to.file = from.file;
    to.line = from.line;
    to.node = from.node;
  }

  // The positions of the function. Returns its length.
  [[gnu::noinline]] uint32_t join_steps() {
    GoPositions& at = positions;
    const uint32_t most = parameter(kMostSlots);
    uint32_t count = 0;
    moved_end = steps + most;
    while (uint32_t kind = byte(streams[kStepKinds])) {
      kind--;
      uint32_t stream = kLinesSame;
      if (kind >= 4 * kNextSlot) {
        uint32_t slot = at.next_slot(), rank = kind / 4;
        if (rank == kExplicitSlot) slot = at.now.node + 1 + unzigzag(wide());
        rank = rank > kRecent ? rank - kRecent : 0;
        if (rank != 0) slot = at.recent(rank);
        stream = at.enter(slot, rank, count);
      }
      if (stream == 0 || count == most) {
        damaged = true;
        break;
      }
      if ((kind & kExpectedLine) == 0) at.now.line += signed_number(stream);
      if ((kind & kOtherFile) != 0) at.now.file += unzigzag(wide());
      if ((kind & ~kExpectedLine) != 0 || count == 0) copy_step(*moved_end++, at.now);
      copy_step(steps[count++], at.now);
      at.now.pc += number_inline(streams[kStepPcs]);
    }
    at.leave();
    step_count = count;
    if (count == 0) damaged = true;
    return at.now.pc;
  }

  // References to pc tables, and those tables that are new. Returns the function's length.
  [[gnu::noinline]] uint32_t join_tables(uint8_t* function, uint32_t pcdata) {
    const uint32_t line_reference = number(kTableReferences), count = kPcData + pcdata;
    uint32_t end, offset = 0;
    step_count = 0;
    if (line_reference == kNew) {
      end = join_steps();
    } else {
      end = number(kStepPcs);
      if (line_reference != kNone) offset = recall(line_reference, table_key(kLine, end));
      store32_aligned(function + 16 + 4 * kLine, offset);
    }
    if (damaged) return 0;
    for (uint32_t i = 0; i < count; i++) {
      const uint32_t kind = table_in_order(i, count), key = table_key(kind, end);
      if (kind == kLine && step_count == 0) continue;
      const uint32_t reference = kind == kLine ? kNew : number(kTableReferences);
      offset = 0;
      if (reference == kNew) {
        offset = static_cast<uint32_t>(pcs - (table + header.pcs));
        memory.add(key, offset);
        if (step_count != 0 && is_position(kind)) {
          write_pc_table(kind, end);
        } else {
          join_pc_table(value_stream(kind), end);
        }
      } else if (reference != kNone) {
        offset = recall(reference, key);
      }
      store32_aligned(function + 4 * kind + (kind < kPcData ? 16 : header.function_size() - 12),
                      offset);
    }
    return end;
  }

  // The nodes of a new inlining tree but for where they are called.
  [[gnu::noinline]] void join_tree(uint8_t* node, uint32_t nodes) {
    uint32_t before = kNoName;
    for (; nodes != 0; nodes--, node += node_size(header)) {
      const uint32_t key = name_key(before), reference = number(kNodeNames);
      if (reference == kNew) {
        before = new_name();
        memory.add(key, before);
      } else {
        before = recall(reference, key);
      }
      const uint32_t misc = number(kNodeMisc);
      uint32_t& start = positions.guess(~before);
      if ((misc & 1) != 0) start = number(kNodeStartLines);
      store32_aligned(node, misc >> 1 << node_id_shift(header));
      store32_aligned(node + 12, start);
      store32_aligned(node + node_name_at(header), before);
      if (!positions.add_node(before, start)) damaged = true;
    }
  }

  // Where they are called, in steps from where they are entered.
  [[gnu::noinline]] void join_parents(uint8_t* node, uint32_t nodes) {
    uint32_t step = 0;
    for (uint32_t i = 1; i <= nodes; i++, node += node_size(header)) {
      if (const uint32_t entered = positions.slot(i).step; entered != kNowhere) step = entered;
      const uint32_t distance = number(kNodeParents), to = step + unzigzag(distance >> 1);
      if (to >= step_count) {
        damaged = true;
        return;
      }
      const GoStep& parent = steps[to];
      uint32_t pc = parent.pc * header.quantum;
      if ((distance & 1) != 0) pc += wide();
      if (header.start_lines) {
        store32_aligned(node + 8, pc);
      } else {
        store32_aligned(node, load32_aligned(node) | (parent.node & 0xffff));
        store32_aligned(node + 4, parent.file);
        store32_aligned(node + 8, parent.line);
        store32_aligned(node + 16, pc);
      }
    }
  }

  [[gnu::noinline]] void release_what_was_read() {
    for (Reader& stream : streams)
      stream.kept = release_behind(stream.kept, stream.at, kMemoryStep);
  }

  [[gnu::noinline]] bool join_functions() {
    uint32_t entry = number(kFunctionMisc), unit = 0, end_line = 0;
    uint32_t data_end[kMaxColumns] = {};
    uint8_t* functab = table + header.functab;
    uint8_t* const end = region + parameter(kFunctionsEnd);
    uint8_t* to = functab + 8 * size_t{header.functions} + 4;
    if (to > end) return false;
    for (uint32_t i = header.functions; i != 0; i--, functab += 8) {
      if (i % 2048 == 0) release_what_was_read();
      const uint32_t pcdata = number(kShapes), data = number(kShapes);
      const uint32_t flag = number(kShapes), id = number(kShapes);
      // At a multiple of 8 from functab.
      const uint32_t gap = (to - functab) & 4, fixed = header.function_size();
      const uint32_t function_size = fixed + 4 * (pcdata + data);
      if (damaged || pcdata > kMaxColumns || data > kMaxColumns ||
          static_cast<size_t>(end - to) < gap + function_size) {
        return false;
      }
      store32_aligned(to, 0);
      uint8_t* const function = to + gap;
      to = function + function_size;
      store32_aligned(functab, entry);
      store32_aligned(functab + 4, static_cast<uint32_t>(function - (table + header.functab)));
      store32_aligned(function, entry);
      const uint32_t name = number(kFunctionMisc);
      store32_aligned(function + 4, name == 0 ? new_name() : unzigzag(name - 1) + next_name);
      const uint32_t arguments = number(kArguments);
      store32_aligned(function + 8, arguments);
      store32_aligned(function + 12, number(kFunctionMisc));
      store32_aligned(function + 28, pcdata);
      unit += signed_number(kFunctionMisc);
      store32_aligned(function + 32, unit);
      if (header.start_lines) {
        end_line += signed_number(kStartLines);
        store32_aligned(function + 36, end_line);
      }
      store32_aligned(function + fixed - 4, id | flag << 8 | data << 24);
      positions.begin(end_line, unit);

      uint8_t* tree = region;
      uint32_t nodes = 0;
      for (uint32_t j = 0; j < data; j++) {
        const uint32_t reference = number(kDataReferences), key = data_key(j, arguments);
        uint32_t offset = 0xffffffff;
        if (reference == kNew) {
          offset = data_end[j] += signed_number(kDataOffsets);
          memory.add(key, offset);
          if (j == kTreeData && parameter(kGoFuncOffset) != kNowhere) {
            nodes = number(kTreeSizes);
            const uint64_t size_of_tree = uint64_t{nodes} * node_size(header);
            const uint64_t at = uint64_t{parameter(kGoFuncOffset)} + offset;
            if (at % 4 != 0 || !fits(at, size_of_tree)) return false;
            data_end[j] += static_cast<uint32_t>(size_of_tree);
            tree += at;
            join_tree(tree, nodes);
          }
        } else if (reference != kNone) {
          offset = recall(reference, key);
        }
        store32_aligned(to - 4 * (data - j), offset);
      }
      const uint32_t length = join_tables(function, pcdata);
      if (damaged) return false;  // its nodes may have no slots then
      if (step_count != 0) end_line = positions.slot(0).line;
      join_parents(tree, nodes);
      entry += length * header.quantum;
      if (i != 1) entry = align_to(entry, parameter(kFunctionAlign));
      entry += signed_number(kFunctionMisc);
    }
    store32_aligned(functab, entry);
    return to == end;
  }

  // findfunctab: for each 256 bytes of code the function that they begin in, in groups of 16.
  bool join_find_functions(uint32_t offset) {
    const uint8_t* next = table + header.functab;
    const uint32_t first = load32_aligned(next),
                   last = load32_aligned(next + 8 * size_t{header.functions});
    const uint32_t count = (last - first + 255) >> 8;
    if (offset % 4 != 0 || !fits(offset, count + uint64_t{4} * ((count + 15) >> 4))) return false;
    uint8_t* out = region + offset;
    uint32_t function = 0, base = 0;
    for (uint32_t i = 0; i < count; i++) {
      while (function + 1 < header.functions && load32_aligned(next + 8) - first <= i << 8) {
        function++;
        next += 8;
      }
      if ((i & 15) == 0) {
        base = function;
        store32_aligned(out, base);
        out += 4;
      }
      *out++ = static_cast<uint8_t>(function - base);
    }
    return true;
  }

  bool run() {
    const uint32_t at = parameter(kTableOffset);
    if (at % 4 != 0 || !fits(at, kGoHeaderSize)) return false;
    damaged = false;
    copy_plain(0, at + kGoHeaderSize);
    table = region + at;
    if (damaged || !read_go_header(table, size - at, header)) return false;
    copy_plain(at + kGoHeaderSize, at + header.names);
    copy_plain(at + header.units, at + header.pcs);
    copy_plain(parameter(kFunctionsEnd), static_cast<uint32_t>(size));
    if (damaged) return false;
    release_what_was_read();  // most of all plain bytes, the largest of the streams
    pcs = table + header.pcs;
    pcs_end = table + header.functab;
    *pcs++ = 0;
    next_name = last_name = 0;
    if (!join_functions() || pcs > pcs_end) return false;
    __builtin_memset(pcs, 0, static_cast<size_t>(pcs_end - pcs));
    while (next_name != header.units - header.names) {
      new_name();
      if (damaged) return false;
    }
    const uint32_t find = parameter(kFindFuncOffset);
    if (find != kNowhere && !join_find_functions(find)) return false;
    for (const Reader& stream : streams) damaged |= stream.at != stream.end;
    return !damaged;
  }
};

}  // namespace

size_t go_table_scratch(const StreamView* streams, size_t count, size_t size) {
  if (count != kGoStreamCount || streams[kParameters].size != 4 * kGoParameterCount) return 0;
  const uint8_t* const parameters = streams[kParameters].data;
  const uint64_t entries = load32_aligned(parameters + 4 * kMemoryNodes);
  const uint64_t slots = load32_aligned(parameters + 4 * kMostSlots);
  // Every entry and slot stands for bytes of the region.
  if (size > kGoMaxSize || entries - 1 >= size / 3 || slots - 1 >= size / 2 || slots > kGoMaxSlots)
    return 0;
  return 8 * kHashed + slots * kSlotRoom + (entries + 1) * sizeof(GoMemory::Entry);
}

bool join_go_table(const StreamView* streams, size_t count, uint8_t* region, size_t size,
                   uint8_t* scratch, size_t scratch_size) {
  const size_t needed = go_table_scratch(streams, count, size);
  if (needed == 0 || needed > scratch_size) return false;
  Join join;
  join.region = region;
  join.size = size;
  join.parameters = streams[kParameters].data;
  for (uint32_t i = 0; i < kGoStreamCount; i++) {
    const StreamView& stream = streams[i];
    join.streams[i] = {stream.data, stream.data + stream.size, stream.data};
  }
  join.streams[kParameters].at = join.streams[kParameters].end;
  __builtin_memset(scratch, 0, 8 * kHashed);
  auto* const words = reinterpret_cast<uint32_t*>(scratch);
  auto* const slots = reinterpret_cast<GoSlot*>(words + 2 * kHashed);
  const uint32_t most = join.parameter(kMostSlots);
  join.steps = reinterpret_cast<GoStep*>(slots + most);
  join.memory = {words, reinterpret_cast<GoMemory::Entry*>(join.steps + 2 * size_t{most}),
                 join.parameter(kMemoryNodes)};
  join.positions.use(slots, most, words + kHashed, static_cast<uint32_t>(size));
  return join.run();
}

}  // namespace whittle::stub
