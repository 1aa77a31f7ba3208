// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>

namespace whittle {

using Environment = std::map<std::string, std::string>;

// The environment of this process.
Environment process_environment();

}  // namespace whittle
