// SPDX-License-Identifier: MIT
//
// Programs to pack in tests: small ones made to measure, and one real one.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "common/bytes.h"
#include "packer/packer.h"
#include "tests/unit/common/elf_builder.h"

namespace whittle::test {

// Noise in the bits of the mask.
inline Bytes noise(std::size_t size, unsigned mask = 255, unsigned seed = 1) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (auto& b : bytes) b = static_cast<std::uint8_t>(random() & mask);
  return bytes;
}

// Code-like bytes that compress: calls and RIP-relative loads of a few targets between fillers.
inline std::string some_code(std::size_t size, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::string code;
  while (code.size() < size) {
    const auto target = static_cast<std::uint32_t>(random() % 16 * 64);
    const bool call = random() % 2 == 0;
    const std::string opcode = call ? std::string("\xe8") : std::string("\x48\x8d\x05", 3);
    const auto next = static_cast<std::uint32_t>(code.size() + opcode.size() + 4);
    const std::uint32_t distance = target - next;
    code += opcode;
    for (int i = 0; i < 4; i++) code += static_cast<char>(distance >> (8 * i));
    code.append(random() % 4, '\x90');
  }
  code.resize(size);
  return code;
}

inline void append_word(std::string& code, std::uint32_t word) {
  for (int i = 0; i < 4; i++) code += static_cast<char>(word >> (8 * i));
}

// The same for AArch64: calls, addresses loaded by adrp and add, NOPs.
inline std::string some_aarch64_code(std::size_t size, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::string code;
  while (code.size() < size) {
    const auto here = static_cast<std::uint32_t>(code.size());
    const auto target = static_cast<std::uint32_t>(random() % 16 * 64);
    if (random() % 2 == 0) {
      append_word(code, 0x94000000 | (((target - here) >> 2) & 0x3ffffff));
    } else {
      const std::uint32_t pages = (target >> 12) - (here >> 12);
      append_word(code, 0x9000001b | (pages & 3) << 29 | (pages >> 2 & 0x7ffff) << 5);
      append_word(code, 0x9100037b | (target & 0xfff) << 10);
    }
    for (std::uint64_t i = random() % 3; i != 0; i--) append_word(code, 0xd503201f);
  }
  code.resize(size);
  return code;
}

// The same for RISC-V: calls, addresses loaded by auipc and addi or ld, compressed NOPs.
inline std::string some_riscv64_code(std::size_t size, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::string code;
  while (code.size() < size) {
    const auto here = static_cast<std::uint32_t>(code.size());
    const auto target = static_cast<std::uint32_t>(random() % 16 * 64);
    const std::uint32_t distance = target - here;
    const std::uint64_t kind = random() % 4;
    if (kind < 2) {  // jal ra
      append_word(code, 0xef | (distance >> 20 & 1) << 31 | (distance >> 1 & 0x3ff) << 21 |
                            (distance >> 11 & 1) << 20 | (distance >> 12 & 0xff) << 12);
    } else {  // auipc a5, then addi a0, a5 or ld a0, (a5)
      append_word(code, 0x797 | ((distance + 0x800) & 0xfffff000));
      append_word(code, (kind == 2 ? 0x78513U : 0x7b503U) | distance << 20);
    }
    for (std::uint64_t i = random() % 3; i != 0; i--) code += std::string_view("\1\0", 2);
  }
  code.resize(size);
  return code;
}

// The machines that there are packed programs for.
inline constexpr std::uint16_t kMachines[] = {elf::kMachineX86_64, elf::kMachineAarch64,
                                              elf::kMachineRiscv};

inline std::string some_code_for(std::uint16_t machine, std::size_t size) {
  switch (machine) {
    case elf::kMachineAarch64:
      return some_aarch64_code(size);
    case elf::kMachineRiscv:
      return some_riscv64_code(size);
    default:
      return some_code(size);
  }
}

// A static executable of about 120 kB that packs to a fraction of that.
inline ElfSpec packable(std::uint16_t machine = elf::kMachineX86_64) {
  ElfSpec spec;
  spec.machine = machine;
  spec.code = some_code_for(machine, 60000);
  spec.data = std::string(30000, 'd') + some_code(20000, 2);
  return spec;
}

// The packed form, or an exception that says why there is none.
inline Bytes packed_form(ByteView file, const packer::PackOptions& options = {}) {
  packer::PackDecision decision = packer::pack(file, "subject", options);
  if (decision.refusal) throw std::runtime_error("refused: " + decision.refusal->reason);
  return std::move(decision.packed->bytes);
}

}  // namespace whittle::test
