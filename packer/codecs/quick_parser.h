// SPDX-License-Identifier: MIT
//
// Chooses the sequences of a stream by codec quick: the cheapest way from the beginning of a
// stretch of bytes to its end, by prices that hold for the stretch, found by dynamic programming as
// in mix_parser.h. No copy goes beyond the end of a stretch.
#pragma once

#include <cstdint>
#include <vector>

#include "common/bytes.h"
#include "packer/codecs/match_finder.h"
#include "packer/codecs/quick_counts.h"

namespace whittle::packer {

class QuickParser {
 public:
  static constexpr std::size_t kStretch = 16 << 10;  // bytes, at most

  explicit QuickParser(ByteView raw);

  // Parses the next stretch, which ends at `end`, into `sequences`. Literals at its end go to the
  // first sequence of the next one.
  void parse(std::size_t end, const QuickPrices& prices, std::vector<QuickSequence>& sequences);

  // Literals that no sequence has so far.
  std::uint32_t run() const { return run_; }

 private:
  using Reps = std::array<std::uint32_t, stub::kQuickReps>;
  // A position and the cheapest way to it.
  struct Node {
    std::uint32_t price;
    std::uint32_t length;  // of the copy that ends here; 0: a literal does
    std::uint32_t offset;
    std::uint32_t run;  // literals that end here
    Reps reps;
  };
  static void use(Reps& reps, std::uint32_t offset);

  void arrive(std::uint32_t index);
  void put_literal(std::uint32_t index, const QuickPrices& prices);
  std::uint32_t put_copies(std::uint32_t index, std::uint32_t most, const QuickPrices& prices);
  void relax(std::uint32_t index, std::uint32_t price, std::uint32_t offset, std::uint32_t length) {
    Node& node = nodes_[index];
    if (price >= node.price) return;
    node.price = price;
    node.offset = offset;
    node.length = length;
  }

  ByteView raw_;
  MatchFinder finder_;
  std::vector<Match> matches_;  // of the position at hand
  std::vector<Node> nodes_;     // of the stretch, and its end
  std::size_t at_ = 0;          // where the stretch begins
  std::uint32_t run_ = 0;
  Reps reps_;
};

}  // namespace whittle::packer
