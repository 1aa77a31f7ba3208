// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include "common/bytes.h"

namespace whittle::packer {

enum class MixModel : std::uint8_t {
  bytes = 0,
  x86_code = 1,
  aarch64_code = 2,
  riscv64_code = 3,
  words = 4
};
inline constexpr std::uint8_t kMixModels = 5;

Bytes mix_encode(ByteView raw, MixModel model, std::atomic<std::uint64_t>* done = nullptr);

}  // namespace whittle::packer
