// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace whittle::analyzer {

// The LIEF that this build was made with ("0.9.0").
std::string lief_version();

}  // namespace whittle::analyzer
