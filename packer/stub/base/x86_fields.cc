// SPDX-License-Identifier: MIT
//
// Both users make tables of this, so it is compiled to be small.
#include "packer/stub/base/x86_fields.h"

#include "packer/stub/base/x86_opcodes.h"

namespace whittle::stub {
namespace {

void add(X86Asks& asks, uint32_t kind) { asks = x86::join(asks, x86::kFollows[kind]); }

}  // namespace

X86Asks x86_asks(uint32_t field, uint32_t byte) {
  X86Asks asks = 0;
  uint32_t kind = x86::kPlain;
  if (field <= kOpcodeAfterSmall) {
    kind = x86::kOneByte[byte];
    if (field == kOpcodeAfterSmall) kind += kind / x86::kSmall;
    kind %= x86::kSmall;
    if (field == kOpcodeAfterWide && kind == x86::kMov) kind = x86::kMoffs;
  } else if (field <= kVexOpcode) {
    kind = x86::kTwoByte[byte];
    if (field == kVexOpcode && kind > x86::kModRmImm8) kind = x86::kPlain;
  } else if (field <= kEvexMap) {
    if (field == kEvexMap) add(asks, x86::kEvexByte);
    const uint32_t map = byte & 7;
    kind = map == 1 ? x86::kVex2 : map == 3 ? x86::kVexModRmImm8 : x86::kVexModRm;
  } else if (field <= kTestModRmSmall) {
    const uint32_t mod = byte >> 6, rm = byte & 7;
    if (mod != 3 && rm == 4) add(asks, mod == 0 ? x86::kBaseSibByte : x86::kSibByte);
    if (mod == 0 && rm == 5) add(asks, x86::kRelative32);
    if (mod == 1) add(asks, x86::kShort);
    if (mod == 2) add(asks, x86::kLong);
    if (field != kModRmByte && (byte & 0x30) == 0) {
      kind = field == kTestModRm        ? x86::kImm8
             : field == kTestModRmSmall ? x86::kImm16
                                        : x86::kImm32;
    }
  } else if (field == kBaseSib && (byte & 7) == 5) {
    kind = x86::kLong;
  }
  add(asks, kind);
  return asks;
}

}  // namespace whittle::stub
