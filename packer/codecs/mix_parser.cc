// SPDX-License-Identifier: MIT
#include "packer/codecs/mix_parser.h"

#include <algorithm>

namespace whittle::packer {
namespace {

using namespace stub;

constexpr std::uint32_t kWindow = 8192;   // positions that one parse covers
constexpr std::uint32_t kKept = 7168;     // of which the commands are kept
constexpr std::uint32_t kLongest = 4096;  // bytes that one command copies
constexpr std::uint32_t kUnreached = ~0U;

}  // namespace

MixParser::MixParser(ByteView raw, const MixHeader& header, const MixPrices::Model& model,
                     std::uint32_t literal_time)
    : raw_(raw),
      prices_(model),
      literal_time_(literal_time),
      finder_(raw),
      walker_(walker(model.w, header)),
      nodes_(kWindow + 1),
      surroundings_(kWindow) {}

void MixParser::parse(std::size_t at, const Past& past, std::vector<Step>& steps) {
  look_ahead(at);
  prices_.refresh();
  const auto end = static_cast<std::uint32_t>(std::min<std::size_t>(kWindow, raw_.size() - at));
  for (std::uint32_t i = 1; i <= end; i++) nodes_[i].price = kUnreached;
  nodes_[0].price = 0;
  nodes_[0].past = past;
  std::uint32_t skip_to = 0;
  for (std::uint32_t i = 0; i < end; i++) {
    if (i != 0) arrive(i);
    if (i >= skip_to) skip_to = leave(at, i, end);
  }
  collect(end, steps);
  if (at + end == raw_.size()) return;
  std::uint32_t to = end;
  while (steps.size() > 1 && to - steps.back().length >= kKept) {
    to -= steps.back().length;
    steps.pop_back();
  }
}

// Surroundings of the window from `at` on. Those that the last window knew already are moved.
void MixParser::look_ahead(std::size_t at) {
  const std::size_t known = ahead_to_ > at ? ahead_to_ - at : 0;
  const std::size_t from = at - ahead_from_;
  for (std::size_t i = 0; i < known; i++) std::swap(surroundings_[i], surroundings_[from + i]);
  ahead_from_ = at;
  const std::size_t end = std::min<std::size_t>(at + kWindow, raw_.size());
  for (std::size_t p = ahead_to_; p < end; p++) {
    Surroundings& s = surroundings_[p - at];
    s.walker = walker_;
    s.command_follows = walker_.command_follows();
    finder_.next(s.matches);
    walker_.step(raw_[p]);
  }
  ahead_to_ = end;
}

// The way to the node is known now: what it leaves behind.
void MixParser::arrive(std::uint32_t index) {
  Node& node = nodes_[index];
  node.past = nodes_[index - node.step.length].past;
  if (node.step.command == kLiteral) {
    node.past.literal();
  } else {
    node.past.copy(node.step.command, node.step.distance);
  }
}

// Tries every command from the node. Returns the one from which to try others: behind a long copy.
std::uint32_t MixParser::leave(std::size_t at, std::uint32_t index, std::uint32_t end) {
  const Node& node = nodes_[index];
  const Surroundings& around = surroundings_[index];
  Departure from;
  from.index = index;
  from.at = at + index;
  from.price = node.price;
  from.most = std::min(end - index, kLongest);
  from.past = node.past;
  const std::uint32_t last = node.past.reps[0];
  from.context = around.walker.context(last <= from.at ? raw_[from.at - last] : 0);

  const std::uint32_t literal =
      node.price + prices_.literal(from.context, raw_[from.at]) + literal_time_;
  const Step literal_step{kLiteral, 1, 0};
  if (node.past.after_literal() && !around.command_follows) {
    relax(index + 1, literal, literal_step);
    return 0;
  }
  prices_.commands(from.context, from.past, from.commands);
  relax(index + 1, literal + from.commands[kLiteral], literal_step);
  const std::uint32_t repeated = repeat(from), copied = copy(from);
  return std::max(repeated, copied);
}

// Copies at past distances, of all lengths. Returns where a long one ends, or 0.
std::uint32_t MixParser::repeat(const Departure& from) {
  std::uint32_t skip_to = 0;
  for (std::uint32_t k = 0; k < kReps; k++) {
    const std::uint32_t distance = from.past.reps[k];
    const std::uint32_t longest = repeated(raw_, from.at, distance, 0, from.most);
    const std::uint16_t* lengths = prices_.lengths(kRep + k, from.context.field);
    const std::uint32_t base = from.price + from.commands[kRep + k];
    std::uint32_t l = longest >= kNiceLength ? longest : 1;
    for (; k == 0 && l <= longest && l < kShortest; l++) {
      relax(from.index + l, from.price + from.commands[kShortRep + l - 1],
            {kShortRep + l - 1, l, distance});
    }
    const std::uint32_t first = k == 0 ? std::uint32_t{kShortest} : 1;  // length that is coded as 1
    for (; l <= longest; l++) {
      relax(from.index + l, base + lengths[std::min(l, kNiceLength) - first + 1],
            {kRep + k, l, distance});
    }
    if (longest >= kNiceLength) skip_to = std::max(skip_to, from.index + longest);
  }
  return skip_to;
}

// Copies at new distances: each length from the nearest match that has it. Returns where a long one
// ends, or 0.
std::uint32_t MixParser::copy(const Departure& from) {
  std::uint32_t skip_to = 0;
  const std::uint16_t* lengths = prices_.lengths(kMatch, from.context.field);
  std::uint32_t l = 2;
  for (const Match& match : surroundings_[from.index].matches) {
    std::uint32_t longest = std::min(match.length, from.most);
    if (longest >= kNiceLength) {
      longest = repeated(raw_, from.at, match.distance, longest, from.most);
      skip_to = std::max(skip_to, from.index + longest);
      l = longest;
    }
    const std::uint32_t base =
        from.price + from.commands[kMatch] + prices_.distance_rest(match.distance);
    const std::uint32_t high = MixPrices::distance_high(match.distance);
    for (; l <= longest; l++) {
      relax(from.index + l,
            base + lengths[std::min(l, kNiceLength)] +
                prices_.distance_first(l, from.context.field, high),
            {kMatch, l, match.distance});
    }
  }
  return skip_to;
}

// The way to node `end`.
void MixParser::collect(std::uint32_t end, std::vector<Step>& steps) const {
  steps.clear();
  for (std::uint32_t i = end; i > 0; i -= nodes_[i].step.length) steps.push_back(nodes_[i].step);
  std::reverse(steps.begin(), steps.end());
}

}  // namespace whittle::packer
