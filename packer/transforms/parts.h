// SPDX-License-Identifier: MIT
//
// The parts that a region is split into, as the joins of stub/ take them. Whoever splits has the
// parts joined again and compares, so that what a split did not think of costs size and nothing
// else.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes.h"
#include "packer/stub/transforms/stream_view.h"

namespace whittle::packer {

// The parts of a range, or nothing and the reason.
struct Split : std::optional<std::vector<Bytes>> {
  using std::optional<std::vector<Bytes>>::optional;
  using std::optional<std::vector<Bytes>>::operator=;
  static Split nothing(std::string reason) {
    Split split;
    split.why = std::move(reason);
    return split;
  }
  std::string why;  // where there are no parts
};

inline constexpr const char* kJoinsToOther = "the streams join to other bytes";

// Valid as long as the parts are.
inline std::vector<stub::StreamView> views_of(const std::vector<Bytes>& parts) {
  std::vector<stub::StreamView> views;
  for (const Bytes& part : parts) views.push_back({part.data(), part.size()});
  return views;
}

// Whether join(views, count, out, size) makes `range` of the parts.
template <class Join>
bool joins_to(ByteView range, const std::vector<Bytes>& parts, const Join& join) {
  const auto views = views_of(parts);
  Bytes joined(range.size());
  return join(views.data(), views.size(), joined.data(), joined.size()) &&
         std::equal(joined.begin(), joined.end(), range.begin());
}

}  // namespace whittle::packer
