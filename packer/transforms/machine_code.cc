// SPDX-License-Identifier: MIT
#include "packer/transforms/machine_code.h"

#include "packer/stub/transforms/aarch64_code.h"
#include "packer/stub/transforms/riscv64_code.h"
#include "packer/stub/transforms/x86_code.h"

namespace whittle::packer {

void to_absolute(std::uint32_t transform, std::uint8_t* code, std::uint64_t size,
                 std::uint64_t address) {
  switch (transform) {
    case kTransformX86:
      return stub::x86_to_absolute(code, size, address);
    case kTransformAarch64:
      return stub::aarch64_to_absolute(code, size, address);
    case kTransformRiscv64:
      return stub::riscv64_to_absolute(code, size, address);
  }
}

stub::ModelKind model_of(std::uint32_t code_transform) {
  switch (code_transform) {
    case kTransformX86:
      return stub::kModelX86;
    case kTransformAarch64:
      return stub::kModelAarch64;
  }
  return stub::kModelBytes;
}

}  // namespace whittle::packer
