// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace whittle::cli {

// "whittle 0.1.0", and a line for each library that it stands on.
std::string version_text();

}  // namespace whittle::cli
