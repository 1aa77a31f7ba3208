// SPDX-License-Identifier: MIT
#include "ship/source_date.h"

#include <fmt/format.h>

#include <charconv>

#include "common/error.h"
#include "common/text.h"

namespace whittle::ship {

std::int64_t source_date_epoch(const Environment& environment) {
  const auto found = environment.find("SOURCE_DATE_EPOCH");
  if (found == environment.end() || found->second.empty()) return 0;
  const std::string& text = found->second;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) {
    throw Error(ErrorKind::usage, "SOURCE_DATE_EPOCH",
                fmt::format("is `{}`, but must be seconds since 1970", printable(text)));
  }
  return seconds;
}

}  // namespace whittle::ship
