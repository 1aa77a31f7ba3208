// SPDX-License-Identifier: MIT
#include "packer/codecs/quick_parser.h"

#include <algorithm>
#include <iterator>

namespace whittle::packer {
namespace {

using namespace stub;

constexpr std::uint32_t kUnreached = ~0U;

}  // namespace

QuickParser::QuickParser(ByteView raw) : raw_(raw), finder_(raw), nodes_(kStretch + 1) {
  std::copy(std::begin(kQuickFirstDistances), std::end(kQuickFirstDistances), reps_.begin());
}

void QuickParser::parse(std::size_t end, const QuickPrices& prices,
                        std::vector<QuickSequence>& sequences) {
  const auto size = static_cast<std::uint32_t>(end - at_);
  for (std::uint32_t i = 1; i <= size; i++) nodes_[i].price = kUnreached;
  const std::uint32_t paid = prices.number(kQuickRun, run_);
  nodes_[0] = {.price = paid, .length = 0, .offset = 0, .run = run_, .reps = reps_};
  std::uint32_t skip_to = 0;
  for (std::uint32_t i = 0; i < size; i++) {
    if (i != 0) arrive(i);
    finder_.next(matches_);
    put_literal(i, prices);
    if (i >= skip_to) skip_to = put_copies(i, size - i, prices);
  }
  arrive(size);
  run_ = nodes_[size].run;
  reps_ = nodes_[size].reps;
  at_ = end;

  const auto first = static_cast<std::ptrdiff_t>(sequences.size());
  for (std::uint32_t i = size; i > 0;) {
    const std::uint32_t length = nodes_[i].length;
    if (length == 0) {
      i--;
      continue;
    }
    sequences.push_back({nodes_[i - length].run, nodes_[i].offset, length});
    i -= length;
  }
  std::reverse(sequences.begin() + first, sequences.end());
}

void QuickParser::use(Reps& reps, std::uint32_t offset) {
  const std::uint32_t distance = offset < kQuickReps ? reps[offset] : offset - (kQuickReps - 1);
  for (std::uint32_t k = std::min(offset, kQuickReps - 1); k != 0; k--) reps[k] = reps[k - 1];
  reps[0] = distance;
}

// The way to the node is known now: what it leaves behind.
void QuickParser::arrive(std::uint32_t index) {
  Node& node = nodes_[index];
  if (node.length == 0) {
    node.run = nodes_[index - 1].run + 1;
    node.reps = nodes_[index - 1].reps;
  } else {
    node.run = 0;
    node.reps = nodes_[index - node.length].reps;
    use(node.reps, node.offset);
  }
}

// A run is paid for as it grows.
void QuickParser::put_literal(std::uint32_t index, const QuickPrices& prices) {
  const Node& node = nodes_[index];
  const std::uint32_t price = node.price + prices.literal(raw_[at_ + index]) +
                              prices.number(kQuickRun, node.run + 1) -
                              prices.number(kQuickRun, node.run);
  relax(index + 1, price, 0, 0);
}

// Copies of all lengths, at most `most`: at past distances, and each length from the nearest match
// that has it. Returns where a long one ends, or 0: from there on there are better ones to try.
std::uint32_t QuickParser::put_copies(std::uint32_t index, std::uint32_t most,
                                      const QuickPrices& prices) {
  const Node& node = nodes_[index];
  const std::uint32_t base = node.price + prices.number(kQuickRun, 0);  // of the next run
  std::uint32_t skip_to = 0;
  const auto put = [&](std::uint32_t offset, std::uint32_t shortest, std::uint32_t longest) {
    const std::uint32_t price = base + prices.number(kQuickOffset, offset);
    for (std::uint32_t l = longest >= kNiceLength ? longest : shortest; l <= longest; l++) {
      relax(index + l, price + prices.number(quick_length_table(offset), l - 1), offset, l);
    }
    if (longest >= kNiceLength) skip_to = std::max(skip_to, index + longest);
  };
  for (std::uint32_t k = 0; k < kQuickReps; k++) {
    put(k, 1, repeated(raw_, at_ + index, node.reps[k], 0, most));
  }
  std::uint32_t shortest = 2;
  for (const Match& match : matches_) {
    std::uint32_t longest = std::min(match.length, most);
    if (longest >= kNiceLength) {
      longest = repeated(raw_, at_ + index, match.distance, longest, most);
    }
    put(match.distance + kQuickReps - 1, shortest, longest);
    shortest = longest + 1;
  }
  return skip_to;
}

}  // namespace whittle::packer
