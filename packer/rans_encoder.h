// SPDX-License-Identifier: MIT
//
// Writes the symbols of level `small` as bits: rANS, after J. Duda, "Asymmetric numeral systems"
// (https://arxiv.org/abs/1311.2540).
//
// A symbol that has `size` of 2^15 shares should take log2(2^15 / size) bits, which is no whole
// number. rANS holds all that was coded so far in one number, the *state*. To code a symbol is to
// make the state larger by that ratio,
//
//     state = state / size * 2^15 + start + state % size,
//
// from which the decoder tells the symbol by the lowest 15 bits and has the old state back. Before
// the state would pass 2^63 its lower half goes out as a word.
//
// The decoder undoes the steps, so it meets the last symbol first: symbols are recorded, and coded
// from the last to the first. That is why a stream has blocks, or all of its symbols would have to
// be kept. A range coder writes as it goes, but its decoder divides once a symbol; the tables of
// tANS (Zstandard's FSE) suit distributions that stay, and these change with every symbol.
#pragma once

#include <cstdint>
#include <vector>

#include "common/bytes.h"
#include "packer/stub/mix_model.h"

namespace whittle::packer {

// A coder of stub::MixModel.
class RansEncoder {
 public:
  // Appends to `out`, block by block.
  explicit RansEncoder(Bytes& out) : out_(out) {}

  void begin_command() {
    if (commands_ == stub::kBlockCommands) finish();
    commands_++;
  }
  std::uint32_t code(const stub::Mixture& mixture, std::uint32_t symbol) {
    tokens_.push_back({mixture.start[symbol], static_cast<std::uint16_t>(mixture.size(symbol)), 0});
    return symbol;
  }
  std::uint32_t raw(std::uint32_t value, std::uint32_t bits) {
    tokens_.push_back({value, 0, static_cast<std::uint16_t>(bits)});
    return value;
  }

  // Ends the block; there is none before the first command.
  void finish() {
    if (commands_ == 0) return;
    commands_ = 0;
    state_ = kFirstState;
    words_.clear();
    for (std::size_t i = tokens_.size(); i-- > 0;) push(tokens_[i]);
    tokens_.clear();
    words_.push_back(static_cast<std::uint32_t>(state_ >> 32));
    words_.push_back(static_cast<std::uint32_t>(state_));
    for (std::size_t i = words_.size(); i-- > 0;) {
      for (int k = 0; k < 32; k += 8) out_.push_back(static_cast<std::uint8_t>(words_[i] >> k));
    }
  }

 private:
  struct Token {
    std::uint32_t value;  // start of the symbol's shares, or plain bits
    std::uint16_t size;   // its shares; 0: plain bits
    std::uint16_t bits;   // how many
  };
  // The state is in [2^31, 2^63) between symbols; the decoder ends where this began.
  static constexpr std::uint64_t kFirstState = std::uint64_t{1} << 31;

  void push(const Token& t) {
    const std::uint64_t limit = t.size != 0 ? std::uint64_t{t.size} << (63 - stub::kScaleBits)
                                            : std::uint64_t{1} << (63 - t.bits);
    if (state_ >= limit) {
      words_.push_back(static_cast<std::uint32_t>(state_));
      state_ >>= 32;
    }
    state_ = t.size != 0 ? ((state_ / t.size) << stub::kScaleBits) + state_ % t.size + t.value
                         : state_ << t.bits | t.value;
  }

  Bytes& out_;
  std::uint32_t commands_ = 0;  // of the block
  std::uint64_t state_ = kFirstState;
  std::vector<Token> tokens_;
  std::vector<std::uint32_t> words_;  // the last one is read first
};

}  // namespace whittle::packer
