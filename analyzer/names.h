// SPDX-License-Identifier: MIT
//
// The names that readelf and the ELF specification give to numbers.
#pragma once

#include <cstdint>
#include <string>

namespace whittle::analyzer {

std::string segment_type_name(std::uint32_t type);    // "LOAD", "GNU_STACK", "0x65a3dbe6"
std::string segment_flags_name(std::uint32_t flags);  // "R-X"

}  // namespace whittle::analyzer
