// SPDX-License-Identifier: MIT
//
// What commands of codec mix cost, in 256ths of a bit, by the model as it stands.
//
// A symbol costs the logarithm of its share. The model changes with every symbol that is coded, so
// a price holds for a moment. Literals and commands are priced from the model when they are asked
// for; lengths and the first symbol of distances, which a parser asks for many times a position,
// come from tables that are as old as the last `refresh`: they change slowly.
#pragma once

#include <cstdint>

#include "packer/codecs/match_finder.h"
#include "packer/codecs/price_table.h"
#include "packer/stub/codecs/mix_model.h"

namespace whittle::packer {

// A coder of stub::MixModel that adds up.
struct Pricer {
  std::uint64_t price = 0;
  void begin_command() {}
  std::uint32_t code(const stub::Mixture& mixture, std::uint32_t symbol) {
    price += kPrice.of[mixture.size(symbol)];
    return symbol;
  }
  std::uint32_t raw(std::uint32_t value, std::uint32_t bits) {
    price += bits * kPriceOne;
    return value;
  }
};

class MixPrices {
 public:
  using Model = stub::MixModel<Pricer>;

  explicit MixPrices(const Model& model) : model_(model) {}

  // Takes the tables from the model anew.
  void refresh();

  std::uint32_t literal(const stub::Context& c, std::uint32_t byte) const {
    std::uint32_t price = 0, part = 0;
    for (const std::uint32_t nibble : {byte >> 4, byte & 15}) {
      price += kPrice.of[mixture(model_.literal_pair(c, part)).size(nibble)];
      part = 1 + nibble;
    }
    return price;
  }
  // Of all 16 commands, without what follows them.
  void commands(const stub::Context& c, const stub::Past& past, std::uint32_t (&prices)[16]) const {
    const stub::Mixture all = mixture(model_.command_pair(c, past));
    for (std::uint32_t k = 0; k < 16; k++) prices[k] = kPrice.of[all.size(k)];
  }
  // By the number coded, from 1 to kNiceLength; longer ones cost little more than that.
  const std::uint16_t* lengths(std::uint32_t command, std::uint32_t field) const {
    return lengths_[Model::length_class(command)][field];
  }
  // A distance costs what its first symbol does, by the length, and the rest.
  static std::uint32_t distance_high(std::uint32_t distance) {
    return static_cast<std::uint32_t>(31 - __builtin_clz(distance)) >> 1;
  }
  std::uint32_t distance_first(std::uint32_t length, std::uint32_t field,
                               std::uint32_t high) const {
    return distance_first_[Model::distance_context(length, field)][high];
  }
  std::uint32_t distance_rest(std::uint32_t distance) const;

 private:
  static stub::Mixture mixture(const Model::Pair& pair) {
    stub::Mixture mixture;
    stub::mix(mixture, pair.weight, *pair.a.from, *pair.b.from);
    return mixture;
  }
  std::uint32_t length(std::uint32_t length_class, std::uint32_t field, std::uint32_t value) const;

  const Model& model_;
  std::uint16_t lengths_[3][stub::kFields][kNiceLength + 1];
  std::uint16_t distance_first_[8 * stub::kFields][16];
};

}  // namespace whittle::packer
