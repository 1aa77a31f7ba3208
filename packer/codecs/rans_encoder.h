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
#include "packer/stub/codecs/rans_decoder.h"

namespace whittle::packer {

class RansEncoder {
 public:
  // Appends to `out`, block by block. Symbols take turns at so many states, at most 2: two at once
  // can be decoded then (F. Giesen, "Interleaved entropy coders", https://arxiv.org/abs/1402.3392).
  explicit RansEncoder(Bytes& out, std::uint8_t states = 1) : out_(out), states_(states) {}

  // A symbol with the shares [start, start + size) of 2^scale_bits, at most 2^15.
  void code(std::uint32_t start, std::uint32_t size, std::uint32_t scale_bits) {
    put(start, size, scale_bits);
    turn_ = static_cast<std::uint8_t>((turn_ + 1) % states_);
  }
  // The lowest bits of a number that has no others; by the state whose turn is next.
  void raw(std::uint32_t value, std::uint32_t bits) { put(value, 0, bits); }
  // Ends the block.
  void finish() {
    std::uint64_t states[2] = {stub::kRansFirstState, stub::kRansFirstState};
    words_.clear();
    for (std::size_t i = tokens_.size(); i-- > 0;) push(states[tokens_[i].turn], tokens_[i]);
    for (std::size_t k = 0; k < states_; k++) {
      words_.push_back(static_cast<std::uint32_t>(states[k] >> 32));
      words_.push_back(static_cast<std::uint32_t>(states[k]));
    }
    for (std::size_t i = words_.size(); i-- > 0;) {
      for (int k = 0; k < 32; k += 8) out_.push_back(static_cast<std::uint8_t>(words_[i] >> k));
    }
    tokens_.clear();
    turn_ = 0;
  }

 private:
  struct Token {
    std::uint32_t value;  // start of the symbol's shares, or plain bits
    std::uint16_t size;   // its shares; 0: plain bits
    std::uint8_t bits;    // of the scale, or how many
    std::uint8_t turn;    // which state's
  };

  void put(std::uint32_t value, std::uint32_t size, std::uint32_t bits) {
    tokens_.push_back(
        {value, static_cast<std::uint16_t>(size), static_cast<std::uint8_t>(bits), turn_});
  }
  // The state is in [2^31, 2^63) between symbols; the decoder ends where this began.
  void push(std::uint64_t& state, const Token& t) {
    const std::uint64_t size = t.size != 0 ? t.size : 1;
    if (state >= size << (63 - t.bits)) {
      words_.push_back(static_cast<std::uint32_t>(state));
      state >>= 32;
    }
    state = ((state / size) << t.bits) + state % size + t.value;
  }

  Bytes& out_;
  std::uint8_t states_, turn_ = 0;
  std::vector<Token> tokens_;
  std::vector<std::uint32_t> words_;  // the last one is read first
};

}  // namespace whittle::packer
