// SPDX-License-Identifier: MIT
#include "flow/version.h"

namespace whittle::flow {

std::string yaml_cpp_version() { return WHITTLE_YAML_CPP_VERSION; }

}  // namespace whittle::flow
