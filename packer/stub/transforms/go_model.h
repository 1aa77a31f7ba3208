// SPDX-License-Identifier: MIT
//
// What splitting and joining of Go's tables both know: where things stand, and the guesses that the
// streams are written against. Both sides make the same guesses because they run this code on the
// same values in the same order.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/stub/base/load_store.h"
#include "packer/stub/base/zigzag.h"
#include "packer/stub/transforms/go_tables.h"

namespace whittle::stub {

// runtime.pcHeader, Go 1.18 and later.
struct GoHeader {
  uint32_t functions;
  uint32_t quantum;  // bytes of the smallest instruction
  bool start_lines;  // since Go 1.20: in functions, and in the nodes of inlining trees
  // Offsets in the table, ascending.
  uint32_t names, units, pcs, functab;

  uint32_t function_size() const { return start_lines ? 44 : 40; }  // without pcdata and funcdata
};

inline constexpr uint32_t kGoHeaderSize = 72;
inline constexpr uint32_t kGoMaxSize = 1 << 28;  // of a region
inline constexpr uint32_t kGoMaxSlots = 1 << 16;
inline constexpr uint32_t kGo118 = 0xfffffff0, kGo120 = 0xfffffff1;

// False where `table`, which is aligned to 4, does not begin with a header.
inline bool read_go_header(const uint8_t* table, size_t size, GoHeader& header) {
  if (size < kGoHeaderSize || size > kGoMaxSize) return false;
  const uint32_t magic = load32_aligned(table), sizes = load32_aligned(table + 4);
  if ((magic != kGo118 && magic != kGo120) || (sizes & 0xff00ffff) != 0x08000000) return false;
  header.start_lines = magic == kGo120;
  header.quantum = sizes >> 16 & 0xff;
  header.functions = load32_aligned(table + 8);
  header.names = load32_aligned(table + 32);
  header.units = load32_aligned(table + 40);
  header.pcs = load32_aligned(table + 56);
  header.functab = load32_aligned(table + 64);
  return header.names >= kGoHeaderSize && header.units >= header.names &&
         header.pcs >= header.units && header.functab > header.pcs && header.functab <= size &&
         header.functab % 4 == 0 && header.functions != 0 &&
         header.functions < (size - header.functab) / 8;
}

// A number is a byte below kFirstSplit. From there on the byte counts steps of 256, whose rest is
// in kLowBytes; from kFirstWide on the byte is 255 and a varint in kWide has it all.
inline constexpr uint32_t kFirstSplit = 224;
inline constexpr uint32_t kFirstWide = kFirstSplit + 256 * (255 - kFirstSplit);

inline uint32_t align_to(uint32_t value, uint32_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

inline constexpr uint32_t kHashed = 1 << 14;
inline uint32_t hash_of(uint32_t value) { return value * 0x9e3779b1U >> 18; }

// Values by key, the last used first. A list in a table of hashed keys; all of it in memory that
// the caller brings.
class GoMemory {
 public:
  static constexpr uint32_t kRanks = 24;
  static constexpr uint32_t kHops = 100;  // entries looked at before giving up
  struct Entry {
    uint32_t key, value, next;  // 0: none; entry 0 is not used
  };

  GoMemory() = default;
  // buckets: kHashed of them, all 0.
  GoMemory(uint32_t* buckets, Entry* entries, uint32_t capacity)
      : buckets_(buckets), entries_(entries), capacity_(capacity) {}

  uint32_t size() const { return used_; }

  void add(uint32_t key, uint32_t value) {
    if (used_ >= capacity_) return;
    uint32_t* head = buckets_ + hash_of(key);
    entries_[++used_] = {key, value, *head};
    *head = used_;
  }
  // The value of that rank, which becomes the first; anything where there is none.
  uint32_t take(uint32_t key, uint32_t rank) {
    uint32_t* const head = buckets_ + hash_of(key);
    uint32_t* link = head;
    for (uint32_t hops = kHops; *link != 0 && hops != 0; hops--) {
      Entry& entry = entries_[*link];
      if (entry.key == key && rank-- == 0) {
        const uint32_t index = *link;
        *link = entry.next;
        entry.next = *head;
        *head = index;
        return entry.value;
      }
      link = &entry.next;
    }
    return 0;
  }
  // The rank of a value, kRanks: out of reach.
  uint32_t rank(uint32_t key, uint32_t value) const {
    uint32_t rank = 0, hops = 0;
    for (uint32_t at = buckets_[hash_of(key)]; at != 0 && hops < kHops;
         at = entries_[at].next, hops++) {
      if (entries_[at].key != key) continue;
      if (entries_[at].value == value) return rank;
      if (++rank == kRanks) break;
    }
    return kRanks;
  }

 private:
  uint32_t* buckets_ = nullptr;
  Entry* entries_ = nullptr;
  uint32_t capacity_ = 0, used_ = 0;
};

// Keys of GoMemory.
inline uint32_t table_key(uint32_t kind, uint32_t length) { return length * 64 + kind; }
inline uint32_t data_key(uint32_t column, uint32_t arguments) {
  return arguments * 64 + 32 + column;
}
inline uint32_t name_key(uint32_t before) { return before * 64 + 63; }

// References in kTableReferences, kDataReferences and (from kNew on) kNodeNames.
enum GoReference : uint32_t { kNone = 0, kNew = 1, kExplicit = 2, kRanked = 3 };

// Kinds of pc tables: pcsp, pcfile, pcln, then pcdata by index.
inline constexpr uint32_t kSp = 0, kFile = 1, kLine = 2, kPcData = 3, kTreeIndex = kPcData + 2;
inline bool is_position(uint32_t kind) { return kind - kFile < 2 || kind == kTreeIndex; }
inline constexpr uint32_t kTreeData = 3;  // index of the inlining tree in the funcdata
inline constexpr uint32_t kMaxColumns = 16;

// Where the values of a table are; its lengths follow.
inline uint32_t value_stream(uint32_t kind) {
  return kind == kSp          ? kSpValues
         : kind - kPcData < 2 ? kUnsafeValues + 2 * (kind - kPcData)
                              : kOtherValues;
}

// The delta of a run's value, in zigzag, from a number that is not 0: a multiple of `unit`. What
// goes up comes down: 1 takes the delta before back.
inline uint32_t negate(uint32_t delta) { return ((delta - 1) ^ 1) + 1; }
inline uint32_t next_delta(uint32_t number, uint32_t unit, uint32_t before) {
  if (number == 1) return negate(before);
  number--;
  const uint32_t sign = number & 1;
  return (number + sign) * unit - sign;
}

// The order in which a function's pc tables stand, as positions in its list of references: the
// linker writes the tree's index last.
inline uint32_t table_in_order(uint32_t index, uint32_t count) {
  return index < kTreeIndex ? index : index + 1 < count ? index + 1 : kTreeIndex;
}

// The source position from a pc on: what pcln, pcfile and pcdata 2 say together.
struct GoStep {
  uint32_t pc;  // in units of the smallest instruction
  uint32_t file, line, node;
};

// One node of a function's inlining tree, or (slot 0) the function itself.
struct GoSlot {
  uint32_t line, file;  // last seen, or what to expect at the entry
  uint32_t step;        // where it was entered, kNowhere: not yet
  uint32_t name;        // offset, or kNoName
};
inline constexpr uint32_t kNoName = 0xffffffff;

// Follows the positions of one function. Step kinds: 0 ends; else 1 + 4 × action + 2 where the line
// is the expected one + 1 where the file is not.
inline constexpr uint32_t kExpectedLine = 2, kOtherFile = 1;
enum GoAction : uint32_t { kStay = 0, kNextSlot = 1, kExplicitSlot = 2, kRecent = 2 };
class GoPositions {
 public:
  static constexpr uint32_t kRecentSlots = 16;

  // guesses: kHashed of them, all 0. budget: slots of all functions together.
  void use(GoSlot* slots, uint32_t capacity, uint32_t* guesses, uint32_t budget) {
    slots_ = slots;
    capacity_ = capacity;
    guesses_ = guesses;
    budget_ = budget;
  }

  void begin(uint32_t line, uint32_t unit) {
    unit_ = unit;
    count_ = 0;
    next_ = 1;
    recent_count_ = 1;
    recent_[0] = 0;
    add_node(kNoName, line);
    slots_[0].step = 0;
    now = {0, guess(kNoName + unit), line, kNoName};
  }
  // A node of the tree, in their order. False: no room.
  bool add_node(uint32_t name, uint32_t line) {
    if (count_ >= capacity_ || budget_ == 0) return false;
    budget_--;
    slots_[count_++] = {line, 0, kNowhere, name};
    return true;
  }

  // What is expected of a key, to begin with 0.
  uint32_t& guess(uint32_t key) { return guesses_[hash_of(key)]; }

  uint32_t next_slot() const { return next_; }
  uint32_t recent_count() const { return recent_count_; }
  // The slot of that rank; kNowhere: there is none.
  uint32_t recent(uint32_t rank) const { return rank < recent_count_ ? recent_[rank] : kNowhere; }
  const GoSlot& slot(uint32_t index) const { return slots_[index]; }

  // Moves to a slot of that rank among the recent ones, 0: none of them. Returns the stream of its
  // line; 0: no room.
  uint32_t enter(uint32_t slot, uint32_t rank, uint32_t step) {
    leave();
    if (slot >= capacity_) return 0;
    while (count_ <= slot) {
      if (!add_node(kNoName, now.line)) return 0;
    }
    if (rank == 0) {
      if (recent_count_ < kRecentSlots) recent_count_++;
      rank = recent_count_ - 1;
    }
    for (; rank != 0; rank--) recent_[rank] = recent_[rank - 1];
    recent_[0] = static_cast<uint16_t>(slot);
    if (slot >= next_) next_ = slot + 1;
    GoSlot& entered = slots_[slot];
    now.line = entered.line;
    now.file = entered.file;
    now.node = slot - 1;
    if (entered.step != kNowhere) return kLinesBack;
    entered.step = step;
    now.file = guess(entered.name + unit_);
    return kLinesEntry;
  }
  // Keeps what is known of the slot in hand: before another is entered, and at the end.
  void leave() {
    GoSlot& slot = slots_[now.node + 1];
    slot.line = now.line;
    slot.file = now.file;
    guess(slot.name + unit_) = now.file;
  }

  GoStep now;

 private:
  GoSlot* slots_;
  uint32_t* guesses_;
  uint32_t capacity_;
  uint32_t count_, next_;
  uint32_t unit_;
  uint32_t budget_;
  uint32_t recent_count_;
  uint16_t recent_[kRecentSlots];
};

// Nodes of inlining trees: internal/abi or runtime.inlinedCall. Before Go 1.20 they also say what
// the tables of positions say at parentPc.
inline uint32_t node_size(const GoHeader& header) { return header.start_lines ? 16 : 20; }
inline uint32_t node_name_at(const GoHeader& header) { return header.start_lines ? 4 : 12; }
inline uint32_t node_id_shift(const GoHeader& header) { return header.start_lines ? 0 : 16; }

}  // namespace whittle::stub
