// SPDX-License-Identifier: MIT
//
// JSON as every report writes it. Each document begins with its schema's name and number; members
// are added under the same number, and renamed or removed only under the next.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace whittle::report {

using Json = nlohmann::ordered_json;

// Two blanks a level, a line feed at the end. Bytes that are no UTF-8 (names out of files are any
// bytes) become U+FFFD, so the result always parses.
inline std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace whittle::report
