// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace whittle::config {

// The libyaml that this process runs with ("0.2.5").
std::string libyaml_version();

}  // namespace whittle::config
