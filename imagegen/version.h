// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace whittle::imagegen {

// The libarchive in use ("3.6.2").
std::string libarchive_version();

}  // namespace whittle::imagegen
