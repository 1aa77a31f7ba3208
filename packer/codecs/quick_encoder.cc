// SPDX-License-Identifier: MIT
#include "packer/codecs/quick_encoder.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "packer/codecs/quick_counts.h"
#include "packer/codecs/quick_parser.h"
#include "packer/codecs/rans_encoder.h"

namespace whittle::packer {
namespace {

using namespace stub;

constexpr int kPasses = 4;
constexpr std::size_t kMostSequences = std::size_t{1} << 16;  // of a block

struct Block {
  std::size_t end = 0;        // of its bytes, roughly: of its last stretch
  std::size_t sequences = 0;  // how many
  QuickCounts counts;
  std::uint64_t price = 0;
};

// What to begin with: the literals are all bytes, small numbers are more frequent than large ones.
QuickCounts guess(ByteView raw) {
  QuickCounts counts;
  for (const std::uint8_t byte : raw) counts.symbols[kQuickLiteral][byte]++;
  for (std::uint32_t s = 0; s < kQuickNumberSymbols; s++) {
    counts.symbols[kQuickRun][s] = counts.symbols[kQuickRepeatLength][s] =
        counts.symbols[kQuickLength][s] = 1 + 400 / (1 + s);
    counts.symbols[kQuickOffset][s] = s < kQuickReps ? 60 : 20;
  }
  return counts;
}

class Encoder {
 public:
  explicit Encoder(ByteView raw) : raw_(raw) {
    blocks_.push_back({.end = raw.size(), .sequences = 0, .counts = guess(raw)});
  }

  // Parses all, by the blocks of the parse before, and makes blocks anew.
  void parse() {
    QuickParser parser(raw_);
    sequences_.clear();
    std::vector<Block> blocks;
    std::size_t counted = 0, at = 0;  // of the sequences, and of their bytes
    for (const Block& block : blocks_) {
      const QuickPrices prices(block.counts);
      for (std::size_t end = blocks.empty() ? 0 : blocks.back().end; end < block.end;) {
        end = std::min(end + QuickParser::kStretch, block.end);
        parser.parse(end, prices, sequences_);
        if (end == raw_.size() && parser.run() != 0) sequences_.push_back({parser.run(), 0, 0});
        Block stretch{.end = end, .sequences = sequences_.size() - counted, .counts = {}};
        for (; counted < sequences_.size(); counted++) {
          const QuickSequence& sequence = sequences_[counted];
          stretch.counts.add(sequence, raw_.data() + at);
          at += sequence.run + sequence.length;
        }
        stretch.price = stretch.counts.price();
        add(blocks, std::move(stretch));
      }
    }
    blocks_ = std::move(blocks);
  }

  Bytes write() const {
    Bytes out;
    RansEncoder rans(out, 2);
    auto sequence = sequences_.begin();
    const std::uint8_t* at = raw_.data();
    for (const Block& block : blocks_) {
      if (block.sequences == 0) continue;
      write_block(block, sequence, at, rans);
      rans.finish();
    }
    return out;
  }

 private:
  // Symbols with what they are coded by.
  struct Table {
    QuickDistribution sizes, starts;

    explicit Table(const QuickDistribution& from) : sizes(from) {
      std::uint16_t start = 0;
      for (std::size_t s = 0; s < sizes.size(); s++) {
        starts[s] = start;
        start = static_cast<std::uint16_t>(start + sizes[s]);
      }
    }
    void put(RansEncoder& rans, std::uint32_t symbol) const {
      rans.code(starts[symbol], sizes[symbol], kQuickScaleBits);
    }
    void put_number(RansEncoder& rans, std::uint32_t value) const {
      const QuickNumber number = quick_number(value);
      put(rans, number.symbol);
      if (number.bits != 0) rans.raw(number.rest, number.bits);
    }
  };

  // To the last block, where both are cheaper together.
  static void add(std::vector<Block>& blocks, Block stretch) {
    if (!blocks.empty() && blocks.back().sequences + stretch.sequences <= kMostSequences) {
      Block both = blocks.back();
      both.end = stretch.end;
      both.sequences += stretch.sequences;
      both.counts += stretch.counts;
      both.price = both.counts.price();
      if (both.price <= blocks.back().price + stretch.price) {
        blocks.back() = both;
        return;
      }
    }
    blocks.push_back(std::move(stretch));
  }

  static void put_gamma(RansEncoder& rans, std::uint32_t value) {
    for (int i = std::bit_width(value) - 2; i >= 0; i--) {
      rans.raw(1, 1);
      rans.raw(value >> i & 1, 1);
    }
    rans.raw(0, 1);
  }

  static Table write_table(const QuickCounts& counts, std::uint32_t table, RansEncoder& rans) {
    const QuickDistribution sizes = counts.distribution(static_cast<QuickTable>(table));
    for (const QuickShares& shares : quick_shares(sizes)) {
      put_gamma(rans, shares.skipped + 1);
      put_gamma(rans, shares.difference + 1);
      rans.raw(shares.rest, shares.bits);
    }
    return Table(sizes);
  }

  static void write_block(const Block& block, std::vector<QuickSequence>::const_iterator& sequence,
                          const std::uint8_t*& at, RansEncoder& rans) {
    std::vector<Table> tables;
    for (std::uint32_t t = 0; t < kQuickTables; t++) {
      tables.push_back(write_table(block.counts, t, rans));
    }
    rans.raw(static_cast<std::uint32_t>(block.sequences - 1), 16);
    for (std::size_t n = block.sequences; n != 0; n--, sequence++) {
      tables[kQuickRun].put_number(rans, sequence->run);
      for (std::uint32_t i = 0; i < sequence->run; i++) tables[kQuickLiteral].put(rans, *at++);
      if (sequence->length == 0) return;
      tables[kQuickOffset].put_number(rans, sequence->offset);
      tables[quick_length_table(sequence->offset)].put_number(rans, sequence->length - 1);
      at += sequence->length;
    }
  }

  ByteView raw_;
  std::vector<QuickSequence> sequences_;
  std::vector<Block> blocks_;
};

}  // namespace

Bytes quick_encode(ByteView raw) {
  Encoder encoder(raw);
  for (int pass = 0; pass < kPasses; pass++) encoder.parse();
  return encoder.write();
}

}  // namespace whittle::packer
