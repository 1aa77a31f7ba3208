// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace whittle::flow {

// The yaml-cpp that this build was made with ("0.7.0"); the library itself does not tell.
std::string yaml_cpp_version();

}  // namespace whittle::flow
