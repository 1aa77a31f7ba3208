// SPDX-License-Identifier: MIT
//
// Chooses the commands of a stream of level `small`: which bytes are copied, from where, and which
// are literals.
//
// Greedy and lazy parsers take the longest match, or the next one where that is longer. Here the
// model predicts literals so well that short copies often cost more than what they replace, and
// which ones do depends on everything coded before. So the parser looks for the cheapest way: the
// positions of a window are nodes, each command is an edge from the position where it begins to the
// one where it ends, weighed with its price by the model of this moment (mix_prices.h), and dynamic
// programming takes the nodes in their order. A node keeps the one cheapest way to it, with the
// past distances and the history that this way leaves behind; another way that costs a little more
// but leaves better ones is forgotten, which is the price of looking at each node once.
//
// The last commands of a window do not see what follows, so the last eighth of it is parsed again
// as the beginning of the next one.
#pragma once

#include <cstdint>
#include <vector>

#include "common/bytes.h"
#include "packer/codecs/match_finder.h"
#include "packer/codecs/mix_player.h"
#include "packer/codecs/mix_prices.h"

namespace whittle::packer {

class MixParser {
 public:
  // A literal is charged `literal_time` on top of its price.
  MixParser(ByteView raw, const stub::MixHeader& header, const MixPrices::Model& model,
            std::uint32_t literal_time);

  // Some thousand commands from `at` on, into `steps`. `past` is that of the commands before. They
  // go on where those of the last call ended.
  void parse(std::size_t at, const stub::Past& past, std::vector<Step>& steps);

 private:
  // A position and the cheapest way to it.
  struct Node {
    std::uint32_t price;
    Step step;  // the last one of that way
    stub::Past past;
  };
  // What is known of a position from the bytes alone.
  struct Surroundings {
    stub::Walker walker;
    bool command_follows;
    std::vector<Match> matches;
  };
  // A node that its commands leave from.
  struct Departure {
    std::uint32_t index;  // of the node
    std::size_t at;       // in the stream
    std::uint32_t price;
    std::uint32_t most;  // bytes that a copy may have
    stub::Past past;
    stub::Context context;
    std::uint32_t commands[16];  // their prices
  };

  void look_ahead(std::size_t at);
  void arrive(std::uint32_t index);
  std::uint32_t leave(std::size_t at, std::uint32_t index, std::uint32_t end);
  std::uint32_t repeat(const Departure& from);
  std::uint32_t copy(const Departure& from);
  // A way to the node that costs `price` and ends with `step`.
  void relax(std::uint32_t index, std::uint32_t price, const Step& step) {
    Node& node = nodes_[index];
    if (price < node.price) {
      node.price = price;
      node.step = step;
    }
  }
  void collect(std::uint32_t end, std::vector<Step>& steps) const;

  ByteView raw_;
  MixPrices prices_;
  std::uint32_t literal_time_;
  MatchFinder finder_;
  stub::Walker walker_;
  std::vector<Node> nodes_;                    // of the window, and its end
  std::vector<Surroundings> surroundings_;     // of the window
  std::size_t ahead_from_ = 0, ahead_to_ = 0;  // positions whose surroundings these are
};

}  // namespace whittle::packer
