// SPDX-License-Identifier: MIT
#include "packer/stub/codecs/quick_decoder.h"

#include "packer/stub/base/system.h"
#include "packer/stub/base/zigzag.h"
#include "packer/stub/codecs/rans_decoder.h"

namespace whittle::stub {
namespace {

constexpr size_t kMemoryStep = 64 << 10;  // bytes that are released at once (system.h)

// Two states take turns by symbols: while one is on its way through the table, so is the other.
struct Decoder : RansDecoder<Decoder> {
  uint64_t next_state = 0;

  void start() {
    RansDecoder::start();
    next_state = state;
    RansDecoder::start();
  }
  bool has_ended() const { return RansDecoder::has_ended() && state == next_state; }
  uint32_t symbol(const uint32_t* slots) {
    const uint32_t slot = slots[state & (kQuickScale - 1)];
    take(slot >> 8 & 0xfff, slot >> 20, kQuickScaleBits);
    const uint64_t taken = state;
    state = next_state;
    next_state = taken;
    return slot & 0xff;
  }
  [[gnu::noinline]] uint32_t number(const uint32_t* slots) {
    const uint32_t code = symbol(slots);
    if (code < 16) return code;
    const uint32_t bits = code / 2 - 5;
    return (2 | (code & 1)) << bits | raw(bits);
  }
  // Elias's gamma code.
  [[gnu::noinline]] uint32_t gamma() {
    uint32_t value = 1;
    while (raw(1) != 0) value = value << 1 | raw(1);
    return value;
  }
  // A distribution.
  bool read_table(uint32_t* slots, uint32_t symbols) {
    uint32_t symbol = 0, bits = kQuickFirstBits;
    for (uint32_t* const last = slots + kQuickScale; slots != last; symbol++) {
      symbol += gamma() - 1;  // these have no shares
      bits += unzigzag(gamma() - 1);
      if (symbol >= symbols || bits > kQuickScaleBits) return false;
      const uint32_t size = 1U << bits | raw(bits);
      if (size > static_cast<size_t>(last - slots)) return false;
      for (uint32_t rank = 0; rank < size; rank++) *slots++ = symbol | size << 8 | rank << 20;
    }
    return true;
  }
};

}  // namespace

bool quick_decode(const uint8_t* packed, size_t packed_size, uint8_t* raw, size_t raw_size,
                  QuickWorkspace& workspace) {
  Decoder coder{{0, packed, packed + packed_size}};
  uint32_t reps[kQuickReps];
  for (uint32_t k = 0; k < kQuickReps; k++) reps[k] = kQuickFirstDistances[k];
  const uint8_t* kept = packed;
  for (size_t at = 0; at < raw_size;) {
    kept = release_behind(kept, coder.at, kMemoryStep);
    coder.start();
    for (uint32_t t = 0; t < kQuickTables; t++) {
      const uint32_t symbols = t == kQuickLiteral ? 256 : kQuickNumberSymbols;
      if (!coder.read_table(workspace.slots[t], symbols)) return false;
    }
    for (uint32_t n = coder.raw(16);; n--) {
      uint32_t run = coder.number(workspace.slots[kQuickRun]);
      if (run > raw_size - at) return false;
      for (; run != 0; run--) {
        raw[at++] = static_cast<uint8_t>(coder.symbol(workspace.slots[kQuickLiteral]));
      }
      if (at == raw_size) break;
      const uint32_t offset = coder.number(workspace.slots[kQuickOffset]);
      const bool repeats = offset < kQuickReps;
      uint32_t length =
          coder.number(workspace.slots[repeats ? kQuickRepeatLength : kQuickLength]) + 1;
      const uint32_t distance = repeats ? reps[offset] : offset - (kQuickReps - 1);
      if (distance > at || length == 0 || length > raw_size - at) return false;
      for (uint32_t k = repeats ? offset : kQuickReps - 1; k != 0; k--) reps[k] = reps[k - 1];
      reps[0] = distance;
      // Copies are short and their lengths hard to predict, so what costs is the loop's end and not
      // the byte. Steps may write too far where that does no harm.
      if (kHasUnaligned && distance >= 16 && raw_size - at - length >= 16) {
        uint8_t* const to = raw + at;
        for (size_t done = 0; done < length; done += 16) copy16(to + done, to + done - distance);
        at += length;
      } else {
        for (; length != 0; length--, at++) raw[at] = raw[at - distance];
      }
      if (n == 0) break;
    }
    if (!coder.has_ended()) return false;
  }
  return coder.at == coder.end;
}

}  // namespace whittle::stub
