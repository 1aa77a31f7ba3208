// SPDX-License-Identifier: MIT
#include "packer/version.h"

#include <zstd.h>

namespace whittle::packer {

std::string zstd_version() { return ZSTD_versionString(); }

}  // namespace whittle::packer
