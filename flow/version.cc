// SPDX-License-Identifier: MIT
#include "flow/version.h"

#include <yaml.h>

namespace whittle::flow {

std::string libyaml_version() { return yaml_get_version_string(); }

}  // namespace whittle::flow
