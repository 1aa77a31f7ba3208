// SPDX-License-Identifier: MIT
#pragma once

#include "common/bytes.h"

namespace whittle::packer {

// True when the bytes are a packed file of any version.
bool is_packed(ByteView file);

}  // namespace whittle::packer
