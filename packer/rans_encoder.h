// SPDX-License-Identifier: MIT
//
// Writes the symbols of both codecs of level `small` as bits: rANS, after J. Duda, "Asymmetric
// numeral systems" (https://arxiv.org/abs/1311.2540).
//
// A symbol that has `size` of 2^n shares should take log2(2^n / size) bits, which is no whole
// number. rANS holds all that was coded so far in one number, the *state*. To code a symbol is to
// make the state larger by that ratio,
//
//     state = state / size * 2^n + start + state % size,
//
// from which the decoder tells the symbol by the lowest n bits and has the old state back. Before
// the state would pass 2^63 its lower half goes out as a word.
//
// The decoder undoes the steps, so it meets the last symbol first: symbols are recorded, and coded
// from the last to the first. That is why a stream has blocks, or all of its symbols would have to
// be kept. A range coder writes as it goes, but its decoder divides once a symbol; the tables of
// tANS (Zstandard's FSE) suit distributions that stay, and codec mix has one for every symbol.
#pragma once

#include <cstdint>
#include <vector>

#include "common/bytes.h"
#include "packer/stub/rans_decoder.h"

namespace whittle::packer {

class RansEncoder {
 public:
  // Appends to `out`, block by block.
  explicit RansEncoder(Bytes& out) : out_(out) {}

  // A symbol with the shares [start, start + size) of 2^scale_bits, at most 2^15.
  void code(std::uint32_t start, std::uint32_t size, std::uint32_t scale_bits) {
    tokens_.push_back(
        {start, static_cast<std::uint16_t>(size), static_cast<std::uint16_t>(scale_bits)});
  }
  // The lowest bits of a number that has no others.
  void raw(std::uint32_t value, std::uint32_t bits) {
    tokens_.push_back({value, 0, static_cast<std::uint16_t>(bits)});
  }
  // Ends the block.
  void finish() {
    state_ = stub::kRansFirstState;
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
    std::uint16_t bits;   // of the scale, or how many
  };

  // The state is in [2^31, 2^63) between symbols; the decoder ends where this began.
  void push(const Token& t) {
    const std::uint64_t size = t.size != 0 ? t.size : 1;
    if (state_ >= size << (63 - t.bits)) {
      words_.push_back(static_cast<std::uint32_t>(state_));
      state_ >>= 32;
    }
    state_ = ((state_ / size) << t.bits) + state_ % size + t.value;
  }

  Bytes& out_;
  std::uint64_t state_ = stub::kRansFirstState;
  std::vector<Token> tokens_;
  std::vector<std::uint32_t> words_;  // the last one is read first
};

}  // namespace whittle::packer
