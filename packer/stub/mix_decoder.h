// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/stub/mix_model.h"

namespace whittle::stub {

enum class MixStatus : int { ok, damaged };

MixStatus mix_decode(const uint8_t* packed, size_t packed_size, uint8_t* raw, size_t raw_size,
                     MixWorkspace& workspace);

}  // namespace whittle::stub
