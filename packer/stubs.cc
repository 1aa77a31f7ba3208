// SPDX-License-Identifier: MIT
#include "packer/stubs.h"

#include "common/elf.h"
#include "packer/format.h"

extern "C" {
extern const std::uint8_t whittle_stub_x86_64[], whittle_stub_x86_64_end[];
extern const std::uint8_t whittle_stub_aarch64[], whittle_stub_aarch64_end[];
extern const std::uint8_t whittle_stub_riscv64[], whittle_stub_riscv64_end[];
}

namespace whittle::packer {

const Stub* find_stub(std::uint16_t machine) {
  static const Stub kStubs[] = {
      {.machine = elf::kMachineX86_64,
       .page_size = 4096,
       .transform = kTransformX86,
       .code = {whittle_stub_x86_64, whittle_stub_x86_64_end}},
      {.machine = elf::kMachineAarch64,
       .page_size = 65536,
       .transform = kTransformAarch64,
       .code = {whittle_stub_aarch64, whittle_stub_aarch64_end}},
      {.machine = elf::kMachineRiscv,
       .page_size = 4096,
       .transform = kTransformRiscv64,
       .code = {whittle_stub_riscv64, whittle_stub_riscv64_end}},
  };
  for (const Stub& stub : kStubs) {
    if (stub.machine == machine) return &stub;
  }
  return nullptr;
}

}  // namespace whittle::packer
