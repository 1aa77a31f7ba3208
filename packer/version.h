// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace whittle::packer {

// The libzstd that this process runs with ("1.5.4").
std::string zstd_version();

}  // namespace whittle::packer
