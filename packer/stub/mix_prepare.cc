// SPDX-License-Identifier: MIT
//
// The models of the codec before the first symbol, and the table by which it walks over x86-64
// code. Once a stream, so compiled to be small.
#include "packer/stub/mix_model.h"
#include "packer/stub/x86_opcodes.h"

namespace whittle::stub {
namespace {

#if !defined(WHITTLE_STUB) || defined(__x86_64__)  // a stub decodes code of its own machine alone
// Fields in the order in which they follow, 6 bits each, the next one lowest. Zeros behind the last
// one: an opcode.
struct Queue {
  uint64_t fields = 0;
  uint32_t bits = 0;

  void add(uint32_t field, uint32_t count = 1) {
    for (uint32_t n = 0; n < count; n++, bits += 6) {
      fields |= uint64_t{field + (n < 3 ? n : 3)} << bits;
    }
  }
};

// What byte `b` in field `field` asks for: at most 9 fields.
Queue x86_asks(uint32_t field, uint32_t b) {
  Queue q;
  uint32_t t = 0;
  const bool small = field == kOpcodeAfterSmall;
  if (field <= kOpcodeAfterSmall) {
    t = x86::kOneByte[b];
    if (t == x86::kPrefix) {
      q.add((b & 0xf8) == 0x48   ? kOpcodeAfterWide
            : b == 0x66 || small ? kOpcodeAfterSmall
                                 : kOpcodeAfterPrefix);
      return q;
    }
    if (t & x86::kSpecial) {
      if (b == 0x0f) {
        q.add(kOpcode2);
      } else if (b == 0xc5) {
        q.add(kOpcode3);
        q.add(kVexOpcode);
      } else if (b == 0xc4 || b == 0x62) {
        q.add(b == 0xc4 ? kVexMap : kEvexMap);
      } else if (b >= 0xf6) {
        q.add(kTestModRm + (b & 1U) + (small && b == 0xf7));
      } else {
        q.add(kImm, b < 0xb8 || field == kOpcodeAfterWide ? 8 : small ? 2 : 4);
      }
      return q;
    }
    if (t & x86::kRelative) {
      q.add(kCall, 4);
      return q;
    }
  } else if (field == kOpcode2) {
    t = x86::kTwoByte[b];
    if (t == x86::kSpecial) {
      q.add(kOpcode3);
      t = b == 0x38 ? x86::kModRm : x86::kModRm | x86::kImm8;
    } else if (t == x86::kImm32) {
      q.add(kJcc, 4);
      return q;
    }
  } else if (field == kVexOpcode) {
    t = x86::kTwoByte[b] & (x86::kModRm | x86::kImm8);
  } else if (field <= kEvexMap) {
    q.add(kOpcode3);
    if (field == kEvexMap) q.add(kOpcode3);
    const uint32_t map = b & 7;
    q.add(map == 1 ? kVexOpcode : kOpcode3);
    if (map != 1) t = map == 3 ? x86::kModRm | x86::kImm8 : x86::kModRm;
  } else if (field <= kTestModRmSmall) {
    const uint32_t mod = b >> 6, rm = b & 7;
    if (mod != 3 && rm == 4) q.add(mod == 0 ? kBaseSib : kSib);
    if (mod == 0 && rm == 5) q.add(kRip, 4);
    if (mod == 1) q.add(kDisp8);
    if (mod == 2) q.add(kDisp32, 4);
    if (field != kModRmByte && (b & 0x30) == 0) {
      if (field == kTestModRm) q.add(kImm8Byte);
      if (field != kTestModRm) q.add(kImm, field == kTestModRmSmall ? 2 : 4);
    }
  } else if (field == kBaseSib && (b & 7) == 5) {
    q.add(kDisp32, 4);
  }
  if (t & x86::kModRm) q.add(kModRmByte);
  t &= x86::kSizeMask;
  if (t == x86::kImm8) q.add(kImm8Byte);
  if (t > x86::kImm8) q.add(kImm, t < x86::kImm32 ? t : small ? 2 : 4);
  return q;
}

#endif

}  // namespace

void prepare(MixWorkspace& w, const MixHeader& header) {
#if !defined(WHITTLE_STUB) || defined(__x86_64__)
  for (uint32_t field = 0; field <= kAsking && header.model == kModelX86; field++) {
    for (uint32_t b = 0; b < 256; b++) {
      const Queue q = x86_asks(field, b);
      w.x86.asks[field][b] = q.fields | uint64_t{q.bits} << 58;
    }
  }
#endif
  for (uint32_t byte = 0; byte < 8; byte++) {
    for (uint32_t k = 0; k < 4; k++) {
      reinterpret_cast<uint8_t*>(&w.bits.general[k])[byte] = -(header.general >> byte & 1U);
      reinterpret_cast<uint8_t*>(&w.bits.specific[k])[byte] = -(header.specific >> byte & 1U);
    }
  }
#if !defined(WHITTLE_STUB) || defined(__aarch64__)
  if (header.model == kModelAarch64) w.bits = kAarch64Bits;
#endif
  for (uint32_t n = 0; n <= kCountMask; n++) {
    const uint32_t rate = n == 0 ? 32767 : 131072 / (2 * n + 3);
    for (uint16_t& lane : w.steps.rate[n]) lane = static_cast<uint16_t>(rate);
  }
  w.general_weight = header.model == kModelBytes ? kGeneralInBytes : kGeneralInCode;
  Distribution even{};
  for (uint32_t s = 0; s < 16; s++) {
    even.lane[s] = static_cast<uint16_t>(s * (kFull / 16));
    for (uint32_t k = 0; k < 16; k++) w.steps.target[s].lane[k] = k > s ? kFull : 0;
  }
  const uint32_t places = 1U << header.table_bits;
  w.specific_mask = places - 1;
  w.general_mask = 2 * places - 1;
  __builtin_memset(w.specific, 0, places * sizeof(Distribution));
  __builtin_memset(w.general, 0, 2 * places * sizeof(Distribution));
  auto* const models =
      reinterpret_cast<Distribution*>(reinterpret_cast<char*>(&w) + offsetof(MixWorkspace, field));
  for (uint32_t m = 0; m < kDirectModels; m++) models[m] = even;
  for (Distribution& m : w.field) m.lane[0] = kFieldCount;
}

}  // namespace whittle::stub
