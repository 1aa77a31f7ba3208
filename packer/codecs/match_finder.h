// SPDX-License-Identifier: MIT
//
// Finds where the bytes to come have stood before, for a parser that wants to choose: not the
// longest *match* alone but, of every length, the nearest one, since near ones are cheap to tell.
//
// The positions that share a hash of their first four bytes form a binary tree (as in LZMA's
// "bt4"), sorted by all the bytes that follow; a parent is newer than its children. The walk for a
// new position goes down from the root towards its own place in that order. On the way down
// positions become older and the bytes shared with them more, so it meets just what is wanted; and
// as it passes, it hangs what is smaller to the left and what is larger to the right of the new
// position, which becomes the root. Finding and inserting are one walk. Below four bytes, the last
// position that shares two and that shares three are enough.
//
// Chains of positions with the same hash would need half the memory and have to compare with all;
// a suffix array tells the longest match at once, but not the nearest.
//
// Memory: 8 bytes a position of the last 64 MiB, and 1.5 MiB.
#pragma once

#include <cstdint>
#include <vector>

#include "common/bytes.h"

namespace whittle::packer {

struct Match {
  std::uint32_t length, distance;  // bytes; the distance from 1
};

// A length from which on a match is good enough to take it without asking further.
inline constexpr std::uint32_t kNiceLength = 192;

// How many bytes from `at` on equal those `distance` before, at most `most`; the first `known` do.
// None where that is before the start.
inline std::uint32_t repeated(ByteView raw, std::size_t at, std::uint32_t distance,
                              std::uint32_t known, std::uint32_t most) {
  if (distance > at) return 0;
  const std::uint8_t* a = raw.data() + at;
  const std::uint8_t* b = a - distance;
  while (known < most && a[known] == b[known]) known++;
  return known;
}

class MatchFinder {
 public:
  explicit MatchFinder(ByteView raw);

  // The matches of the next position, the first of all at first, each longer than the one before it
  // in the list; of kNiceLength bytes at most, though more may be equal. None in the last 3 bytes.
  void next(std::vector<Match>& found);

 private:
  // One position's walk.
  struct Search {
    std::size_t at;
    const std::uint8_t* bytes;
    std::uint32_t limit;  // bytes to compare
    std::vector<Match>& found;
    std::uint32_t best = 1;  // length so far

    void offer(std::size_t there, std::uint32_t length) {
      if (length <= best) return;
      best = length;
      found.push_back({length, static_cast<std::uint32_t>(at - there)});
    }
  };
  void try_last(Search& search, std::uint32_t& last, std::uint32_t length) const;
  void walk_tree(Search& search, std::uint32_t& root);

  ByteView raw_;
  // Positions + 1 by hash, 0: none.
  std::vector<std::uint32_t> roots_, last_of_3_, last_of_2_;
  std::vector<std::uint32_t> tree_;  // left and right child + 1 of each position of the window
  std::size_t window_ = 1;           // positions that the tree has room for, a power of 2
  std::size_t next_ = 0;
};

}  // namespace whittle::packer
