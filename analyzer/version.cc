// SPDX-License-Identifier: MIT
#include "analyzer/version.h"

#include <LIEF/version.h>

namespace whittle::analyzer {

// Debian's build leaves the separator of an empty suffix behind: "0.9.0-".
std::string lief_version() {
  const std::string version = LIEF_VERSION;
  return version.substr(0, version.find_last_not_of('-') + 1);
}

}  // namespace whittle::analyzer
