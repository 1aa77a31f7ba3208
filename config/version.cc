// SPDX-License-Identifier: MIT
#include "config/version.h"

#include <yaml.h>

namespace whittle::config {

std::string libyaml_version() { return yaml_get_version_string(); }

}  // namespace whittle::config
