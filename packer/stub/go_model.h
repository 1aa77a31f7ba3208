// SPDX-License-Identifier: MIT
//
// What splitting and joining of Go's tables both know: where things stand, and the guesses that the
// streams are written against. Both sides make the same guesses because they run this code on the
// same values in the same order.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/stub/go_tables.h"

namespace whittle::stub {

// runtime.pcHeader, Go 1.18 and later.
struct GoHeader {
  uint32_t functions;
  uint32_t quantum;  // bytes of the smallest instruction
  bool start_lines;  // since Go 1.20
  // Offsets in the table, ascending.
  uint32_t names, units, pcs, functab;
};

inline uint32_t load32(const uint8_t* from) {
  uint32_t value;
  __builtin_memcpy(&value, from, 4);
  return value;
}
inline void store32(uint8_t* to, uint32_t value) { __builtin_memcpy(to, &value, 4); }

inline constexpr uint32_t kGoHeaderSize = 72;
inline constexpr uint32_t kGoMaxSize = 1 << 28;  // of a table
inline constexpr uint32_t kGo118 = 0xfffffff0, kGo120 = 0xfffffff1;

// False where `table` does not begin with a header.
inline bool read_go_header(const uint8_t* table, size_t size, GoHeader& header) {
  if (size < kGoHeaderSize || size > kGoMaxSize) return false;
  const uint32_t magic = load32(table);
  if ((magic != kGo118 && magic != kGo120) || table[4] != 0 || table[5] != 0 || table[7] != 8) {
    return false;
  }
  header.start_lines = magic == kGo120;
  header.quantum = table[6];
  header.functions = load32(table + 8);
  header.names = load32(table + 32);
  header.units = load32(table + 40);
  header.pcs = load32(table + 56);
  header.functab = load32(table + 64);
  return header.names >= kGoHeaderSize && header.units >= header.names &&
         header.pcs >= header.units && header.functab > header.pcs && header.functab <= size &&
         header.functions != 0 && header.functions < (size - header.functab) / 8;
}

// A number is a byte below kFirstSplit. From there on the byte counts steps of 256, whose rest is
// in kLowBytes; from kFirstWide on the byte is 255 and a varint in kWide has it all.
inline constexpr uint32_t kFirstSplit = 224;
inline constexpr uint32_t kFirstWide = kFirstSplit + 256 * (255 - kFirstSplit);

inline uint32_t align_to(uint32_t value, uint32_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

// Values by key, the last used first. A list in a table of hashed keys; all of it in memory that
// the caller brings.
class GoMemory {
 public:
  static constexpr uint32_t kBuckets = 1 << 14;
  static constexpr uint32_t kRanks = 250;
  static constexpr uint32_t kHops = 1024;  // entries looked at before giving up
  struct Entry {
    uint32_t key, value, next;  // 0: none; entry 0 is not used
  };

  GoMemory(uint32_t* buckets, Entry* entries, uint32_t capacity)
      : buckets_(buckets), entries_(entries), capacity_(capacity) {}

  uint32_t size() const { return used_; }

  [[gnu::noinline]] void add(uint32_t key, uint32_t value) {
    if (used_ >= capacity_) return;
    uint32_t* head = bucket(key);
    entries_[++used_] = {key, value, *head};
    *head = used_;
  }
  // The value of that rank, which becomes the first; false: there is none.
  [[gnu::noinline]] bool take(uint32_t key, uint32_t rank, uint32_t& value) {
    uint32_t* head = bucket(key);
    uint32_t* link = head;
    for (uint32_t hops = 0; *link != 0 && hops < kHops; hops++) {
      Entry& entry = entries_[*link];
      if (entry.key == key && rank-- == 0) {
        const uint32_t index = *link;
        *link = entry.next;
        entry.next = *head;
        *head = index;
        value = entry.value;
        return true;
      }
      link = &entry.next;
    }
    return false;
  }
  // The rank of a value, kRanks: out of reach.
  uint32_t rank(uint32_t key, uint32_t value) {
    uint32_t rank = 0, hops = 0;
    for (uint32_t at = *bucket(key); at != 0 && hops < kHops; at = entries_[at].next, hops++) {
      if (entries_[at].key != key) continue;
      if (entries_[at].value == value) return rank;
      if (++rank == kRanks) break;
    }
    return kRanks;
  }

 private:
  uint32_t* bucket(uint32_t key) { return buckets_ + (key * 0x9e3779b1U >> 18); }

  uint32_t* buckets_;
  Entry* entries_;
  uint32_t capacity_, used_ = 0;
};

// Keys of GoMemory.
inline uint32_t table_key(uint32_t kind, uint32_t length) { return length * 64 + kind; }
inline uint32_t line_table_key(uint32_t start_line) { return start_line * 64 + 2; }
inline uint32_t data_key(uint32_t column, uint32_t arguments) {
  return arguments * 64 + 32 + (column & 15);
}
inline uint32_t name_key(uint32_t before) { return before * 64 + 63; }

// References in kTableReferences, kDataReferences and (from kNew on) kNodeNames.
enum GoReference : uint8_t { kNone = 0, kNew = 1, kExplicit = 2, kRanked = 3 };

// Kinds of pc tables: pcsp, pcfile, pcln, then pcdata by index.
inline constexpr uint32_t kSp = 0, kFile = 1, kLine = 2, kPcData = 3, kTreeIndex = kPcData + 2;
inline constexpr uint32_t kTreeData = 3;  // index of the inlining tree in the funcdata
inline constexpr uint32_t kMaxColumns = 16;

inline uint32_t value_stream(uint32_t kind) {
  return kind == kSp           ? kSpValues
         : kind == kPcData     ? kUnsafeValues
         : kind == kPcData + 1 ? kStackMapValues
                               : kOtherValues;
}

// One node of a function's inlining tree, or (slot 0) the function itself.
struct GoSlot {
  uint32_t line, file;  // last seen, or what to expect at the entry
  uint32_t step;        // where it was entered
  uint32_t name;        // offset, or kNoName
  bool seen;
};
inline constexpr uint32_t kNoName = 0xffffffff;

inline constexpr uint32_t kHashed = 1 << 14;
inline uint32_t hash_of(uint32_t value) { return value * 0x9e3779b1U >> 18; }

// The last values of a table, the latest first.
class GoRecent {
 public:
  static constexpr uint32_t kCount = 8;

  uint32_t value(uint32_t rank) const { return values_[rank]; }
  uint32_t rank(uint32_t value) const {
    uint32_t rank = 0;
    while (rank < kCount && values_[rank] != value) rank++;
    return rank;
  }
  // Of rank kCount: a new one, which takes the place of the oldest.
  void use(uint32_t rank, uint32_t value) {
    if (rank == kCount) rank--;
    for (; rank != 0; rank--) values_[rank] = values_[rank - 1];
    values_[0] = value;
  }

 private:
  uint32_t values_[kCount] = {};
};

// The source position at a pc: what the tables pcln, pcfile and pcdata 2 say together.
struct GoPosition {
  uint32_t line, file, slot;
};

// Follows the positions of one function. Step kinds: 0 ends; else 1 + 4 × action + 2 where the line
// stays + 1 where the file is not the expected one.
inline constexpr uint32_t kSameLine = 2, kOtherFile = 1;
enum GoAction : uint32_t { kStay = 0, kNextSlot = 1, kExplicitSlot = 2, kRecent = 2 };
class GoPositions {
 public:
  static constexpr uint32_t kRecentSlots = 16;

  // files: expected files by hash. budget: slots of all functions together.
  GoPositions(GoSlot* slots, uint32_t capacity, uint32_t* files, size_t budget)
      : slots_(slots), capacity_(capacity), files_(files), budget_(budget) {}

  [[gnu::noinline]] void begin(uint32_t line, uint32_t unit) {
    if (unit != unit_) file_ = 0;
    unit_ = unit;
    now = {line, file_, 0};
    count_ = 1;
    slots_[0] = {line, file_, 0, kNoName, true};
    recent_[0] = 0;
    recent_count_ = 1;
    next_ = 1;
  }
  // A node of the tree, in their order. False: no room.
  [[gnu::noinline]] bool add_node(uint32_t name, uint32_t start_line) {
    if (count_ >= capacity_ || budget_-- == 0) return false;
    slots_[count_++] = {start_line, 0, 0, name, false};
    return true;
  }

  uint32_t next_slot() const { return next_; }
  uint32_t recent_count() const { return recent_count_; }
  uint32_t recent(uint32_t rank) const { return recent_[rank]; }
  const GoSlot& slot(uint32_t index) const { return slots_[index]; }

  // Moves to a slot. False: no room.
  [[gnu::noinline]] bool enter(uint32_t slot, uint32_t rank, uint32_t step) {
    leave();
    if (slot >= capacity_) return false;
    for (; count_ <= slot; count_++) {
      if (budget_-- == 0) return false;
      slots_[count_] = {now.line, now.file, 0, kNoName, false};
    }
    if (rank == 0) {
      if (recent_count_ < kRecentSlots) recent_count_++;
      rank = recent_count_ - 1;
    }
    for (; rank != 0; rank--) recent_[rank] = recent_[rank - 1];
    recent_[0] = slot;
    if (slot >= next_) next_ = slot + 1;
    if (GoSlot& entered = slots_[slot]; !entered.seen) {
      entered.step = step;
      if (entered.name != kNoName) entered.file = files_[hash_of(entered.name + unit_)];
    }
    now.slot = slot;
    return true;
  }
  // Keeps what is known of the slot in hand: before another is entered, and at the end.
  void leave() {
    GoSlot& slot = slots_[now.slot];
    if (!slot.seen && slot.name != kNoName) files_[hash_of(slot.name + unit_)] = now.file;
    slot.seen = true;
    slot.line = now.line;
    slot.file = now.file;
    if (now.slot == 0) file_ = now.file;
  }
  // Where the line of a slot stands that has just been entered.
  uint32_t line_stream() const { return slots_[now.slot].seen ? kLinesBack : kLinesEntry; }

  GoPosition now{};

 private:
  GoSlot* slots_;
  uint32_t capacity_;
  uint32_t* files_;
  size_t budget_;
  uint32_t count_ = 0, next_ = 0;
  uint32_t unit_ = 0, file_ = 0;  // of the last function
  uint32_t recent_[kRecentSlots];
  uint32_t recent_count_ = 0;
};

// The value in kSpFrames of a depth: most are multiples of 8.
inline uint32_t frame_of(uint32_t value) { return value << 3 | value >> 29; }

// The order in which a function's pc tables stand, as positions in its list of references: the
// linker writes the tree's index last.
inline uint32_t table_in_order(uint32_t index, uint32_t pcdata) {
  if (index <= kPcData + 1 || pcdata <= 2) return index;
  return index + 1 < kPcData + pcdata ? index + 1 : kTreeIndex;
}

// Whether a join may ask for that much. Every entry, slot and step stands for bytes of the table.
inline bool go_parameters_fit(const uint32_t* parameters, size_t size) {
  return size <= kGoMaxSize && parameters[kMemoryNodes] <= size / 3 &&
         parameters[kLargestTable] <= size && parameters[kMostSteps] <= size / 2 &&
         parameters[kMostSlots] <= size / 16;
}

// Memory that a join works in, one part behind the other.
struct GoScratch {
  uint32_t buckets, files, starts, slots, entries, steps, lines, file_bytes, trees;
  uint64_t size;
};
inline GoScratch go_scratch(const uint32_t* parameters) {
  GoScratch at;
  uint64_t end = 0;
  const auto take = [&end](uint64_t count, uint64_t size) {
    const uint64_t begin = end;
    end += (count * size + 7) & ~uint64_t{7};
    return static_cast<uint32_t>(begin);
  };
  at.buckets = take(GoMemory::kBuckets, 4);
  at.files = take(kHashed, 4);
  at.starts = take(kHashed, 4);
  at.slots = take(parameters[kMostSlots], sizeof(GoSlot));
  at.entries = take(uint64_t{parameters[kMemoryNodes]} + 1, sizeof(GoMemory::Entry));
  at.steps = take(parameters[kMostSteps], 4);
  at.lines = take(uint64_t{parameters[kLargestTable]} + 1, 1);
  at.file_bytes = take(uint64_t{parameters[kLargestTable]} + 1, 1);
  at.trees = take(uint64_t{parameters[kLargestTable]} + 1, 1);
  at.size = end;
  return at;
}

}  // namespace whittle::stub
