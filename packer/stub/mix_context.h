// SPDX-License-Identifier: MIT
//
// CONTEXT_DOC
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/stub/x86_opcodes.h"

namespace whittle::stub {

// What byte of an instruction comes next.
enum : uint8_t {
  kOpcode = 0,
  kOpcodeAfterPrefix,
  kOpcode2,
  kOpcode3,
  kModRmByte,
  kSib,
  kDisp8,
  kImm8Byte,
  kDisp32 = 8,
  kRip = 12,
  kCall = 16,
  kImm = 20,
  kJcc = 24,
};

struct X86Walker {
  uint8_t field = kOpcode;
  uint8_t disp = 0, disp_left = 0;  // field to come
  uint8_t imm = 0, imm_left = 0;
  uint8_t traits = 0;
  uint8_t wide = 0, small = 0, map = 0, skip = 0;
  uint8_t opcode = 0;
  uint8_t modrm = 0;
  uint32_t key = 0;    // of the instruction so far, without operands
  uint32_t all = 0;    // of all its bytes so far
  uint32_t value = 0;  // of the operand's bytes so far
  uint32_t previous[3] = {0, 0, 0};

  void operand() {
    if (disp_left != 0) {
      field = disp;
      return;
    }
    if (imm_left != 0) {
      field = imm;
      return;
    }
    end();
  }
  void end() {
    previous[2] = previous[1];
    previous[1] = previous[0];
    previous[0] = key;
    key = all = value = 0;
    wide = small = 0;
    modrm = 0;
    opcode = 0;
    field = kOpcode;
  }
  void immediate() {
    const uint32_t kind = traits & x86::kSizeMask;
    disp_left = 0;
    imm_left = static_cast<uint8_t>(kind);
    imm = kImm8Byte;
    if (kind >= x86::kImm16) imm = kImm;
    if (kind == x86::kImm32) {
      imm_left = small ? 2 : 4;
      if (traits & x86::kRelative) imm = kCall, imm_left = 4;
    }
  }
  void set_opcode(uint8_t t) {
    traits = t;
    immediate();
    if (traits & x86::kModRm)
      field = kModRmByte;
    else
      operand();
  }
  void step(uint8_t b) {
    all = (all + b + 1) * 0x9E3779B1U;
    if (field >= kDisp8) {
      value = (value + b + 1) * 0x2F0B4C47U;
      if (disp_left != 0) {
        disp++;
        if (--disp_left == 0) value = 0;
      } else {
        imm = static_cast<uint8_t>(imm == kImm + 3 ? imm : imm + 1);
        imm_left--;
      }
      return operand();
    }
    key = (key + b + 1) * 0x9E3779B1U;
    if (field <= kOpcodeAfterPrefix) {
      const uint8_t t = x86::kOneByte[b];
      if (t == x86::kPrefix) {
        wide = (b & 0xf8) == 0x48;
        small |= b == 0x66;
        field = kOpcodeAfterPrefix;
        return;
      }
      opcode = b;
      if (t & x86::kSpecial) {
        if (b == 0x0f) {
          field = kOpcode2;
          return;
        }
        if (b == 0xc5 || b == 0xc4 || b == 0x62) {
          field = kOpcode3;
          skip = b == 0xc5 ? 1 : b == 0xc4 ? 2 : 3;
          map = b;
          return;
        }
        if (b >= 0xf6) {
          traits = static_cast<uint8_t>(x86::kModRm | x86::kSpecial);
          field = kModRmByte;
          imm_left = disp_left = 0;
          return;
        }
        traits = x86::kImm32;
        disp_left = 0;
        imm = kImm;
        imm_left = b < 0xb8 || wide ? 8 : small ? 2 : 4;
        return operand();
      }
      return set_opcode(t);
    }
    if (field == kOpcode2) {
      opcode = static_cast<uint8_t>(b ^ 0x55);
      const uint8_t t = x86::kTwoByte[b];
      if (t == x86::kSpecial) {
        field = kOpcode3;
        skip = 0;
        map = b;
        return;
      }
      set_opcode(t);
      if ((b & 0xf0) == 0x80) imm = kJcc, imm_left = 4, field = kJcc;
      return;
    }
    if (field == kOpcode3) {
      if (skip != 0) {
        if (skip-- != 0 && map == 0xc4 && skip == 1) small = b & 31;
        return;
      }
      opcode = static_cast<uint8_t>(b ^ 0xaa);
      const uint8_t m = small;
      small = 0;
      uint8_t t = x86::kModRm;
      if (map == 0x3a || (map == 0xc4 && m == 3))
        t |= x86::kImm8;
      else if (map == 0xc5 || (map == 0xc4 && m == 1))
        t = x86::kTwoByte[b] & (x86::kModRm | x86::kImm8);
      return set_opcode(t);
    }
    if (field == kModRmByte) {
      modrm = b;
      const uint8_t mod = b >> 6, rm = b & 7;
      if (traits & x86::kSpecial) {
        traits = x86::kModRm;
        if ((b & 0x30) == 0) traits |= opcode == 0xf6 ? x86::kImm8 : x86::kImm32;
        immediate();
      }
      disp_left = 0;
      if (mod == 1) disp = kDisp8, disp_left = 1;
      if (mod == 2) disp = kDisp32, disp_left = 4;
      if (mod != 3 && rm == 4) {
        field = kSib;
        return;
      }
      if (mod == 0 && rm == 5) disp = kRip, disp_left = 4;
      return operand();
    }
    // SIB
    if (modrm < 64 && (b & 7) == 5) disp = kDisp32, disp_left = 4;
    return operand();
  }
};


inline constexpr uint32_t kLiteralInputs = 4, kHashedInputs = 2, kModels = 5;

struct Context {
  uint32_t field;                  // what is to come, below 32
  uint32_t near;                   // the byte before, or one that tells as much
  uint32_t hash[kHashedInputs];    // more and more of what came before
};

inline uint32_t hash2(uint32_t a, uint32_t b) {
  a = (a ^ (b * 0x85EBCA6BU)) * 0xC2B2AE35U;
  return a ^ (a >> 15);
}

// Follows the bytes and gives the contexts of the next one.
struct Walker {
  uint8_t model = 0;
  X86Walker x86;
  uint64_t history = 0;  // bytes before, the last one lowest
  uint32_t position = 0;

  void step(uint8_t b) {
    history = (history << 8) | b;
    position++;
    if (model == 1) x86.step(b);
  }
  uint32_t field() const {
    return model == 1 ? x86.field : model == 2 ? position & 3 : model == 4 ? position & 7 : 0;
  }
  // Whether a command stands here even behind a literal.
  bool command_follows() const { return model != 1 || (0x11111C1U >> x86.field & 1) != 0; }
  Context context() const {
    Context c;
    const uint32_t h = static_cast<uint32_t>(history);
    const uint32_t f = field();
    c.field = f;
    c.near = h & 0xff;
    if (model == 1) {
      c.hash[0] = hash2(f, x86.all);
      c.hash[1] = hash2(c.hash[0], x86.previous[0]);
    } else if (model == 4) {
      c.hash[0] = hash2(f, static_cast<uint32_t>(history >> 56));
      c.hash[1] = hash2(f + 16, h & 0xffff);
    } else if (model == 2) {
      const uint32_t word = h & ((1U << (8 * f)) - 1);
      const uint32_t before = static_cast<uint32_t>(history >> (8 * f));
      c.hash[0] = hash2(f + 8, word);
      c.hash[1] = hash2(hash2(f + 16, word), before & 0xffe00000);
    } else {
      c.hash[0] = hash2(8, h & 0xffff);
      c.hash[1] = hash2(16, h & 0xffffff);
    }
    return c;
  }
};

}  // namespace whittle::stub
