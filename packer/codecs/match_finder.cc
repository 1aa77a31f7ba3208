// SPDX-License-Identifier: MIT
#include "packer/codecs/match_finder.h"

#include <algorithm>

#include "packer/stub/base/load_store.h"

namespace whittle::packer {
namespace {

constexpr std::uint32_t kRootBits = 18, kShortBits = 16;
constexpr std::size_t kLargestWindow = std::size_t{1} << 26;
constexpr int kDepth = 96;  // nodes that a walk looks at before it forgets what is below

// Knuth's multiplicative hash: 2^32 divided by the golden ratio.
std::uint32_t hash(std::uint32_t value, std::uint32_t bits) {
  return (value * 0x9E3779B1U) >> (32 - bits);
}

// Bytes from two positions on that are equal, `limit` at the most; the first `known` are.
inline std::uint32_t shared(const std::uint8_t* a, const std::uint8_t* b, std::uint32_t known,
                            std::uint32_t limit) {
  while (known < limit && a[known] == b[known]) known++;
  return known;
}

}  // namespace

MatchFinder::MatchFinder(ByteView raw)
    : raw_(raw),
      roots_(std::size_t{1} << kRootBits, 0),
      last_of_3_(std::size_t{1} << kShortBits, 0),
      last_of_2_(std::size_t{1} << kShortBits, 0) {
  while (window_ < raw.size() && window_ < kLargestWindow) window_ *= 2;
  tree_.resize(window_ * 2);
}

void MatchFinder::next(std::vector<Match>& found) {
  found.clear();
  const std::size_t at = next_++;
  const auto limit =
      static_cast<std::uint32_t>(std::min<std::size_t>(kNiceLength, raw_.size() - at));
  if (limit < 4) return;
  Search search{.at = at, .bytes = raw_.data() + at, .limit = limit, .found = found};
  const std::uint32_t first_4 = stub::load32(search.bytes);
  try_last(search, last_of_2_[first_4 & 0xffff], 2);
  try_last(search, last_of_3_[hash(first_4 & 0xffffff, kShortBits)], 3);
  walk_tree(search, roots_[hash(first_4, kRootBits)]);
}

// Looks at the last position with that hash of `length` bytes, which the new one takes over.
void MatchFinder::try_last(Search& search, std::uint32_t& last, std::uint32_t length) const {
  if (last != 0 && search.best < length) {
    search.offer(last - 1, shared(search.bytes, raw_.data() + last - 1, 0, search.limit));
  }
  last = static_cast<std::uint32_t>(search.at + 1);
}

void MatchFinder::walk_tree(Search& search, std::uint32_t& root) {
  const std::uint8_t* const bytes = search.bytes;
  const std::uint32_t limit = search.limit;
  std::uint32_t node = root;
  root = static_cast<std::uint32_t>(search.at + 1);
  // Where the next smaller and the next larger node will hang. What lies between two nodes in the
  // order shares with the new position at least what both of them do.
  std::uint32_t* smaller = &tree_[(search.at & (window_ - 1)) * 2];
  std::uint32_t* larger = smaller + 1;
  std::uint32_t shared_smaller = 0, shared_larger = 0;
  for (int depth = kDepth;; depth--) {
    if (depth == 0 || node == 0 || search.at - (node - 1) >= window_) {
      *smaller = *larger = 0;
      return;
    }
    const std::size_t there = node - 1;
    const std::uint8_t* bytes_there = raw_.data() + there;
    std::uint32_t* children = &tree_[(there & (window_ - 1)) * 2];
    const std::uint32_t length =
        shared(bytes, bytes_there, std::min(shared_smaller, shared_larger), limit);
    search.offer(there, length);
    if (length == limit) {  // as good as equal: the new one takes its place
      *smaller = children[0];
      *larger = children[1];
      return;
    }
    if (bytes_there[length] < bytes[length]) {
      *smaller = node;
      smaller = children + 1;
      node = *smaller;
      shared_smaller = length;
    } else {
      *larger = node;
      larger = children;
      node = *larger;
      shared_larger = length;
    }
  }
}

}  // namespace whittle::packer
