// SPDX-License-Identifier: MIT
#include "packer/stub/mix_decoder.h"

namespace whittle::stub {
namespace {

struct Decoder {
  static constexpr bool kUpdate = true;
  uint64_t state = 0;
  const uint8_t* at;
  const uint8_t* end;

  uint32_t word() {
    uint32_t value = 0;
    if (end - at >= 4) {
      __builtin_memcpy(&value, at, 4);
      at += 4;
    }
    return value;
  }
  void start() {
    state = word();
    state |= uint64_t{word()} << 32;
  }
  void take(uint32_t from, uint32_t size) {
    state = size * (state >> kScaleBits) + (state & (kScale - 1)) - from;
    if (state < uint64_t{1} << 31) state = (state << 32) | word();
  }
  uint32_t code(const Cdf& cdf, uint32_t) {
    const uint32_t symbol = find(cdf, static_cast<uint32_t>(state) & (kScale - 1));
    take(cdf.start[symbol], static_cast<uint32_t>(cdf.start[symbol + 1] - cdf.start[symbol]));
    return symbol;
  }
  uint32_t raw(uint32_t, uint32_t bits) {
    const uint32_t value = (static_cast<uint32_t>(state) & (kScale - 1)) >> (kScaleBits - bits);
    take(value << (kScaleBits - bits), 1U << (kScaleBits - bits));
    return value;
  }
};

}  // namespace

MixStatus mix_decode(const uint8_t* packed, size_t packed_size, uint8_t* raw, size_t raw_size,
                     MixWorkspace& workspace) {
  if (packed_size == 0 || packed[0] >= kModels) return MixStatus::damaged;
  Decoder coder{0, packed + 1, packed + packed_size};
  MixModel<Decoder> model{workspace, coder};
  prepare(workspace);
  Walker walker;
  walker.model = packed[0];
  Past past;
  uint32_t commands = 0;
  size_t at = 0;
  while (at < raw_size) {
    if (commands == 0) {
      if (at != 0 && coder.state != uint64_t{1} << 31) return MixStatus::damaged;
      coder.start();
      commands = kBlockCommands;
    }
    commands--;
    const Context c = walker.context();
    uint32_t& recent = workspace.recent[c.match & (kRecent - 1)];
    const uint32_t predicted = recent == 0 ? 0 : static_cast<uint32_t>(at) - recent + 1;
    const uint32_t kind = model.command(c, past, prediction_of(raw, at, predicted, past), 0);
    if (kind == kLiteral) {
      const uint32_t guess = past.reps[0] <= at ? raw[at - past.reps[0]] : 0;
      const uint8_t b = model.literal(c, past, guess, 0);
      recent = static_cast<uint32_t>(at) + 1;
      raw[at++] = b;
      walker.step(b);
      remember(past, kLiteral, 0);
      continue;
    }
    if (kind >= kRep + kReps) return MixStatus::damaged;
    const uint32_t length = model.length(kind, c.field, 0);
    uint32_t distance = predicted;
    if (kind == kMatch) distance = model.distance(model.distance_context(length, c.field), 0);
    if (kind >= kRep) distance = past.reps[kind - kRep];
    if (distance == 0 || distance > at || length > raw_size - at) return MixStatus::damaged;
    remember(past, kind, distance);
    for (uint32_t i = 0; i < length; i++) {
      workspace.recent[walker.context().match & (kRecent - 1)] = static_cast<uint32_t>(at) + 1;
      raw[at] = raw[at - distance];
      walker.step(raw[at]);
      at++;
    }
  }
  if (raw_size != 0 && coder.state != uint64_t{1} << 31) return MixStatus::damaged;
  return coder.at == coder.end ? MixStatus::ok : MixStatus::damaged;
}

}  // namespace whittle::stub
