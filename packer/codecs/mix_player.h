// SPDX-License-Identifier: MIT
//
// Runs commands through the model of level `small` as its decoder will: each symbol goes to a coder
// and the model learns from it. One player with a coder that writes makes a stream; one with a
// Pricer learns what streams cost.
#pragma once

#include <cstdint>
#include <vector>

#include "common/bytes.h"
#include "packer/stub/codecs/mix_model.h"

namespace whittle::packer {

// One command of a stream.
struct Step {
  std::uint32_t command;   // stub::Command
  std::uint32_t length;    // bytes that it makes; 1 for a literal
  std::uint32_t distance;  // 0 for a literal
};

template <class Coder>
class Player {
 public:
  // The workspace is prepared already, with this header or by another player's commands.
  Player(ByteView raw, const stub::MixHeader& header, stub::MixWorkspace& workspace, Coder& coder)
      : raw_(raw), model_{workspace, coder}, walker_(stub::walker(workspace, header)) {}

  void play(const Step& step) {
    const std::uint32_t guess = past_.reps[0] <= walker_.at ? raw_[walker_.at - past_.reps[0]] : 0;
    const stub::Context c = walker_.context(guess);
    model_.coder.begin_command();
    const bool stands = !past_.after_literal() || walker_.command_follows();
    std::uint32_t byte = raw_[walker_.at];
    model_.command(c, past_, stands, step.command, byte);
    if (step.command == stub::kLiteral) {
      past_.literal();
    } else {
      copy(c, step);
    }
    for (std::uint32_t i = 0; i < step.length; i++) walker_.step(raw_[walker_.at]);
  }
  void play(const std::vector<Step>& steps) {
    for (const Step& step : steps) play(step);
  }

  std::size_t at() const { return walker_.at; }
  const stub::Past& past() const { return past_; }
  const stub::MixModel<Coder>& model() const { return model_; }

 private:
  void copy(const stub::Context& c, const Step& step) {
    if (step.command < stub::kShortRep) {
      const bool is_long_rep = step.command == stub::kRep;
      model_.length(step.command, c.field,
                    is_long_rep ? step.length - stub::kShortest + 1 : step.length);
    }
    if (step.command == stub::kMatch) {
      model_.distance(model_.distance_context(step.length, c.field), step.distance);
    }
    past_.copy(step.command, step.distance);
  }

  ByteView raw_;
  stub::MixModel<Coder> model_;
  stub::Walker walker_;
  stub::Past past_;
};

}  // namespace whittle::packer
