// SPDX-License-Identifier: MIT
//
// The time that an image carries. Not the clock's: then no two builds would be equal. It is
// SOURCE_DATE_EPOCH, the convention of reproducible-builds.org, or else the beginning of 1970.
#pragma once

#include <cstdint>

#include "common/environment.h"

namespace whittle::ship {

// Seconds since 1970. Throws Error{usage} where the variable is not a whole number of seconds.
std::int64_t source_date_epoch(const Environment& environment);

}  // namespace whittle::ship
