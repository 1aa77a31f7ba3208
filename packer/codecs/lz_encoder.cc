// SPDX-License-Identifier: MIT
//
// The shortest parse, found by dynamic programming from the front. What an element costs depends on
// the distance of the last match, so a place has not one best parse but one for each distance: the
// latest match of every distance is kept, as the beginning of a parse that goes on with literals
// and the same distance again. (E. Saukas's "optimal" compressor of ZX0, whose elements are much
// the same, does so too.)
#include "packer/codecs/lz_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

namespace whittle::packer {
namespace {

constexpr std::uint32_t kMaxLiterals = 1024;  // in one element
constexpr std::uint32_t kNone = UINT32_MAX;

std::uint32_t number_bits(std::uint32_t value) {
  return 2 * static_cast<std::uint32_t>(std::bit_width(value)) - 1;
}

std::uint32_t literal_bits(std::uint32_t count) {
  return count == 0 ? 0 : 1 + number_bits(count) + 8 * count;
}

// A parse of all before `end` whose last element is a match.
struct Parse {
  std::uint32_t bits = 0;
  std::uint32_t end = 0;
  std::uint32_t before = kNone;  // the parse before `literals`
  std::uint32_t literals = 0;    // before the match
  std::uint32_t length = 0;
  std::uint32_t distance = 0;
  bool repeats = false;  // the distance of the match before
};

// A parse of all before a place: `parse` and literals.
struct Way {
  std::uint32_t bits = 0;
  std::uint32_t parse = 0;
  std::uint32_t literals = 0;
};

class Parser {
 public:
  Parser(ByteView raw, std::uint32_t known, std::uint32_t unit)
      : raw_(raw),
        known_(known),
        unit_(unit),
        best_(raw.size() + 1, kNone),
        latest_(raw.size() + 1, kNone),
        ways_(raw.size() + 1) {
    parses_.push_back({.end = known});
    best_[known] = 0;
    if (unit < latest_.size()) latest_[unit] = 0;
  }

  Way run() {
    struct Run {              // of bytes that equal those `distance` before
      std::uint32_t end = 0;  // of what is known of it
      std::uint32_t begin = 0;
      std::uint32_t parse = kNone;  // the latest of this distance before it
    };
    std::vector<Run> runs(raw_.size() + 1);
    std::array<std::vector<std::uint32_t>, 256> places;  // where each byte stands so far
    for (std::uint32_t at = 0; at < raw_.size(); at++) {
      const std::uint32_t end = at + 1;
      lengths_.assign(3, 2);
      for (const std::uint32_t place : places[raw_[at]]) {
        const std::uint32_t distance = at - place;
        if (distance % unit_ != 0) continue;
        Run& run = runs[distance];
        if (at < known_) continue;
        if (run.end != at) run = {.end = at, .begin = at, .parse = latest_[distance]};
        run.end = end;
        add_repeat(end, distance, run.begin, run.parse);
        add_match(end, distance, end - run.begin);
      }
      places[raw_[at]].push_back(at);
      if (at >= known_) settle(end);
    }
    return ways_[raw_.size()];
  }

  const Parse& operator[](std::uint32_t index) const { return parses_[index]; }

 private:
  void offer(const Parse& parse) {
    // Dearer than another by more than it costs to say a distance: of no use.
    constexpr std::uint32_t kDistanceBits = 64;
    std::uint32_t& best = best_[parse.end];
    if (best != kNone && parse.bits > parses_[best].bits + kDistanceBits) return;
    std::uint32_t& latest = latest_[parse.distance];
    if (latest != kNone && parses_[latest].end == parse.end && parses_[latest].bits <= parse.bits) {
      return;
    }
    latest = static_cast<std::uint32_t>(parses_.size());
    if (best == kNone || parse.bits < parses_[best].bits) best = latest;
    parses_.push_back(parse);
  }

  void add_repeat(std::uint32_t end, std::uint32_t distance, std::uint32_t begin,
                  std::uint32_t before) {
    if (before == kNone || parses_[before].end >= begin) return;
    const std::uint32_t literals = begin - parses_[before].end;
    const std::uint32_t length = end - begin;
    offer({.bits = parses_[before].bits + literal_bits(literals) + 1 + number_bits(length),
           .end = end,
           .before = before,
           .literals = literals,
           .length = length,
           .distance = distance,
           .repeats = true});
  }

  // A match of at most `limit` bytes, as long as is best.
  void add_match(std::uint32_t end, std::uint32_t distance, std::uint32_t limit) {
    if (limit < 2) return;
    const auto cost = [&](std::uint32_t length) {
      return ways_[end - length].bits + number_bits(length - 1);
    };
    while (lengths_.size() <= limit) {
      const auto length = static_cast<std::uint32_t>(lengths_.size());
      lengths_.push_back(cost(length) <= cost(lengths_.back()) ? length : lengths_.back());
    }
    const std::uint32_t length = lengths_[limit];
    const Way& way = ways_[end - length];
    offer({.bits = cost(length) + 1 + number_bits(((distance / unit_ - 1) >> 8) + 1) + 8,
           .end = end,
           .before = way.parse,
           .literals = way.literals,
           .length = length,
           .distance = distance});
  }

  void settle(std::uint32_t end) {
    Way& way = ways_[end];
    way.bits = UINT32_MAX;
    const std::uint32_t first = std::max(known_, end - std::min(end, kMaxLiterals));
    for (std::uint32_t from = end + 1; from-- > first;) {
      if (best_[from] == kNone) continue;
      const std::uint32_t bits = parses_[best_[from]].bits + literal_bits(end - from);
      if (bits < way.bits) way = {.bits = bits, .parse = best_[from], .literals = end - from};
    }
  }

  ByteView raw_;
  std::uint32_t known_, unit_;
  std::vector<Parse> parses_;
  std::vector<std::uint32_t> best_;     // by end: the cheapest parse
  std::vector<std::uint32_t> latest_;   // by distance: the parse that ends last
  std::vector<Way> ways_;               // by end: the cheapest
  std::vector<std::uint32_t> lengths_;  // by limit: the best length for a match that ends here
};

class Sink {
 public:
  void byte(std::uint32_t value) { bytes_.push_back(static_cast<std::uint8_t>(value)); }
  void bit(std::uint32_t value) {
    if (left_ == 0) {
      place_ = bytes_.size();
      byte(0);
      left_ = 8;
    }
    bytes_[place_] = static_cast<std::uint8_t>(bytes_[place_] | value << --left_);
  }
  void number(std::uint32_t value) {
    for (int i = std::bit_width(value) - 2; i >= 0; i--) {
      bit(1);
      bit(value >> i & 1);
    }
    bit(0);
  }
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
  std::size_t place_ = 0;  // of the byte of bits in work
  int left_ = 0;           // of its bits
};

}  // namespace

Bytes lz_encode(ByteView raw, std::size_t known, std::uint32_t unit) {
  if (raw.size() == known) return {};
  Parser parser(raw, static_cast<std::uint32_t>(known), unit);
  const Way way = parser.run();
  std::vector<std::uint32_t> parses;
  for (std::uint32_t i = way.parse; parser[i].length != 0; i = parser[i].before) {
    parses.push_back(i);
  }

  Sink sink;
  std::size_t at = known;
  const auto put_literals = [&](std::uint32_t count) {
    if (count == 0) return;
    sink.bit(0);
    sink.number(count);
    for (std::uint32_t i = 0; i < count; i++) sink.byte(raw[at++]);
  };
  for (auto index = parses.rbegin(); index != parses.rend(); index++) {
    const Parse& parse = parser[*index];
    put_literals(parse.literals);
    if (parse.repeats) {
      sink.bit(0);
      sink.number(parse.length);
    } else {
      sink.bit(1);
      const std::uint32_t units = parse.distance / unit - 1;
      sink.number((units >> 8) + 1);
      sink.byte(units & 0xff);
      sink.number(parse.length - 1);
    }
    at += parse.length;
  }
  put_literals(way.literals);
  return sink.take();
}

}  // namespace whittle::packer
