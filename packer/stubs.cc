// SPDX-License-Identifier: MIT
#include "packer/stubs.h"

#include "common/elf.h"

extern "C" {
extern const std::uint8_t whittle_stub_x86_64[];
extern const std::uint8_t whittle_stub_x86_64_end[];
}

namespace whittle::packer {

const Stub* find_stub(std::uint16_t machine) {
  static const Stub kX86_64 = {
      .machine = elf::kMachineX86_64,
      .page_size = 4096,
      .code = {whittle_stub_x86_64, whittle_stub_x86_64_end},
  };
  return machine == kX86_64.machine ? &kX86_64 : nullptr;
}

}  // namespace whittle::packer
