// SPDX-License-Identifier: MIT
#include "packer/stub/codecs/mix_decoder.h"

#include "packer/stub/base/system.h"
#include "packer/stub/codecs/rans_decoder.h"

namespace whittle::stub {
namespace {

// Half of what is right for codec zstd (system.h): this one takes longer for as many bytes, so
// calls weigh less, and its tables leave less room.
constexpr size_t kMemoryStep = 64 << 10;
constexpr uint32_t kChunkCommands = 4096, kBlockChunks = kBlockCommands / kChunkCommands;

// A coder of MixModel.
struct Decoder : RansDecoder<Decoder> {
  uint32_t code(const Mixture& mixture, uint32_t) {
    const uint32_t value = static_cast<uint32_t>(state) & (kScale - 1);
    const uint32_t symbol = find(mixture, value);
    take(mixture.size(symbol), value - mixture.start[symbol], kScaleBits);
    return symbol;
  }
  uint32_t raw(uint32_t, uint32_t bits) { return RansDecoder::raw(bits); }
};

}  // namespace

MixStatus mix_decode(const uint8_t* packed, size_t packed_size, uint8_t* raw, size_t raw_size,
                     MixWorkspace& workspace) {
  MixHeader header;
  if (packed_size < sizeof header) return MixStatus::damaged;
  __builtin_memcpy(&header, packed, sizeof header);
  if (header.model >= kModelKinds || header.columns > 7 || header.table_bits > kMaxTableBits) {
    return MixStatus::damaged;
  }
  Decoder coder{{0, packed + sizeof header, packed + packed_size}};
  MixModel<Decoder> model{workspace, coder};
  prepare(workspace, header);
  Walker walker = stub::walker(workspace, header);
  Past past;
  const uint8_t* kept = packed;
  uint8_t* there = raw;
  for (uint32_t chunk = 0; walker.at < raw_size; chunk++) {
    if (chunk % kBlockChunks == 0) {
      if (chunk != 0 && !coder.has_ended()) return MixStatus::damaged;
      coder.start();
    }
    kept = release_behind(kept, coder.at, kMemoryStep);
    there = populate_ahead(there, raw + walker.at, raw + raw_size, kMemoryStep);
    for (uint32_t n = 0; n < kChunkCommands && walker.at < raw_size; n++) {
      const uint32_t at = walker.at;
      const uint32_t guess = past.reps[0] <= at ? raw[at - past.reps[0]] : 0;
      const Context c = walker.context(guess);
      const bool stands = !past.after_literal() || walker.command_follows();
      uint32_t byte = 0;
      const uint32_t command = model.command(c, past, stands, 0, byte);
      uint32_t length = 1, distance = 0;  // a literal is a copy whose first byte is known
      if (command == kLiteral) {
        past.literal();
      } else {
        distance = past.reps[0];
        if (command >= kShortRep) {
          length = command - kShortRep + 1;
        } else {
          length = model.length(command, c.field, 0);
          if (command == kMatch) {
            distance = model.distance(model.distance_context(length, c.field), 0);
          } else if (command == kRep) {
            length += kShortest - 1;
          } else {
            distance = past.reps[command - kRep];
          }
        }
        if (distance == 0 || distance > at || length > raw_size - at) return MixStatus::damaged;
        past.copy(command, distance);
        byte = raw[at - distance];
      }
      for (const uint32_t end = at + length;;) {
        raw[walker.at] = static_cast<uint8_t>(byte);
        walker.step(static_cast<uint8_t>(byte));
        if (walker.at == end) break;
        byte = raw[walker.at - distance];
      }
    }
  }
  if (raw_size != 0 && !coder.has_ended()) return MixStatus::damaged;
  return coder.at == coder.end ? MixStatus::ok : MixStatus::damaged;
}

}  // namespace whittle::stub
