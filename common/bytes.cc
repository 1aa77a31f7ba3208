// SPDX-License-Identifier: MIT
#include "common/bytes.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.h"

namespace whittle {

ByteView ByteReader::slice(std::uint64_t offset, std::uint64_t length,
                           std::string_view what) const {
  if (!in_bounds(offset, length, bytes_.size())) {
    throw Error(ErrorKind::malformed, path_,
                fmt::format("{} needs {} bytes but the file has {}; it is truncated or not what "
                            "it claims to be",
                            what, length, bytes_.size()),
                offset);
  }
  return bytes_.subspan(offset, length);
}

std::string_view ByteReader::c_string(std::uint64_t offset, std::string_view what) const {
  if (offset < bytes_.size()) {
    const auto from = bytes_.begin() + static_cast<std::ptrdiff_t>(offset);
    const auto end = std::find(from, bytes_.end(), std::uint8_t{0});
    if (end != bytes_.end()) {
      return as_text(bytes_.subspan(offset, static_cast<std::size_t>(end - from)));
    }
  }
  throw Error(ErrorKind::malformed, path_, fmt::format("{} is not terminated", what), offset);
}

}  // namespace whittle
