// SPDX-License-Identifier: MIT
#include "imagegen/version.h"

#include <archive.h>

#include <string_view>

namespace whittle::imagegen {

std::string libarchive_version() {
  const std::string_view text = archive_version_string();  // "libarchive 3.6.2"
  return std::string(text.substr(text.find(' ') + 1));
}

}  // namespace whittle::imagegen
