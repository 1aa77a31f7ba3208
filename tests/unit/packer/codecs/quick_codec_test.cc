// SPDX-License-Identifier: MIT
//
// Encoder and decoder of codec quick against each other. Every decode runs between pages that may
// not be touched.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <memory>
#include <optional>

#include "common/file.h"
#include "packer/codecs/price_table.h"
#include "packer/codecs/quick_counts.h"
#include "packer/codecs/quick_encoder.h"
#include "packer/codecs/rans_encoder.h"
#include "packer/codecs/zstd_encoder.h"
#include "packer/stub/codecs/quick_decoder.h"
#include "tests/unit/packer/guarded_memory.h"
#include "tests/unit/packer/subjects.h"

namespace whittle {
namespace {

using packer::quick_encode;
using packer::QuickCounts;
using packer::QuickDistribution;
using test::noise;

// Nothing where the stream is damaged.
std::optional<Bytes> decode(ByteView packed, std::size_t size, std::uint8_t dirt = 0xa5) {
  const auto workspace = std::make_unique<stub::QuickWorkspace>();
  std::memset(static_cast<void*>(workspace.get()), dirt, sizeof *workspace);
  const test::GuardedMemory source(packed), target(size);
  if (!stub::quick_decode(source.data(), source.size(), target.data(), size, *workspace)) {
    return std::nullopt;
  }
  return target.bytes();
}

void expect_round_trip(const Bytes& content, const char* what) {
  EXPECT_TRUE(decode(quick_encode(content), content.size()) == content)
      << what << ", " << content.size() << " bytes";
}

Bytes code(std::size_t size) {
  const std::string text = test::some_code(size);
  return Bytes(text.begin(), text.end());
}

// Words of `size` bytes, in any order, out of a few.
Bytes words(std::size_t count, std::size_t size) {
  const Bytes vocabulary = noise(64 * size), order = noise(count, 63, 2);
  Bytes bytes;
  for (const std::uint8_t n : order) {
    const auto word = vocabulary.begin() + static_cast<std::ptrdiff_t>(n * size);
    bytes.insert(bytes.end(), word, word + static_cast<std::ptrdiff_t>(size));
  }
  return bytes;
}

TEST(QuickCodec, GivesBackContentOfEverySmallSize) {
  for (std::size_t size = 0; size < 40; size++) {
    expect_round_trip(noise(size), "noise");
    expect_round_trip(Bytes(size, 0), "zeros");
  }
  EXPECT_TRUE(quick_encode({}).empty());
}

TEST(QuickCodec, GivesBackNoiseRunsAndCode) {
  expect_round_trip(noise(70000), "noise");
  expect_round_trip(noise(70000, 1), "bits");
  expect_round_trip(noise(30000, 0x88), "few values");
  expect_round_trip(Bytes(1000000, 0x90), "one run");
  expect_round_trip(code(200000), "code");
}

TEST(QuickCodec, GivesBackARealProgram) {
  Bytes bytes = read_file("/proc/self/exe").bytes;
  bytes.resize(std::min<std::size_t>(bytes.size(), 300000));
  expect_round_trip(bytes, "this test");
}

// 69,894 sequences of one kind: more than one block counts, and nothing else divides them.
TEST(QuickCodec, GivesBackMoreCopiesThanABlockCounts) {
  Bytes content;
  for (const std::uint8_t byte : noise(180000))
    content.insert(content.end(), {byte, 'a', 'b', 'c'});
  expect_round_trip(content, "a byte and three");
}

// A block that ends among literals: there is no copy in the whole of the second half.
TEST(QuickCodec, GivesBackWhatChangesItsNature) {
  Bytes content = words(20000, 6);
  const Bytes tail = noise(100000, 255, 3), bits = noise(50000, 3, 4);
  content.insert(content.end(), tail.begin(), tail.end());
  content.insert(content.end(), bits.begin(), bits.end());
  expect_round_trip(content, "words, noise and bits");
  // Each has distributions of its own, but for the stretches where they meet.
  const std::size_t parts =
      quick_encode(words(20000, 6)).size() + quick_encode(tail).size() + quick_encode(bits).size();
  EXPECT_LT(quick_encode(content).size(), parts + 8000);
}

TEST(QuickCodec, FindsMatchesAcrossTheWholeStream) {
  Bytes content = noise(300000);
  const std::size_t once = quick_encode(content).size();
  content.insert(content.end(), content.begin(), content.begin() + 50000);
  EXPECT_LT(quick_encode(content).size(), once + 200);
  expect_round_trip(content, "noise and its beginning");
}

TEST(QuickCodec, PacksLikeTheStrongestZstd) {
  Bytes program = read_file("/proc/self/exe").bytes;
  program.resize(std::min<std::size_t>(program.size(), 300000));
  for (const Bytes& content : {program, code(100000), words(20000, 7)}) {
    EXPECT_LT(static_cast<double>(quick_encode(content).size()),
              1.02 * static_cast<double>(packer::zstd_encode(content).size()));
  }
}

TEST(QuickCodec, TheSameInputGivesTheSameBytes) {
  const Bytes content = code(100000);
  EXPECT_EQ(quick_encode(content), quick_encode(content));
}

TEST(QuickCodec, TheWorkspaceMayHoldAnything) {
  const Bytes content = code(50000);
  const Bytes packed = quick_encode(content);
  EXPECT_EQ(decode(packed, content.size(), 0x00), content);
  EXPECT_EQ(decode(packed, content.size(), 0xff), content);
}

TEST(QuickCodec, AnyTruncationIsDamage) {
  const Bytes content = code(4000);
  const Bytes packed = quick_encode(content);
  for (std::size_t size = 0; size < packed.size(); size++) {
    EXPECT_FALSE(decode(ByteView(packed).first(size), content.size())) << size;
  }
}

TEST(QuickCodec, BytesBehindTheEndAreDamage) {
  const Bytes content = code(4000);
  Bytes packed = quick_encode(content);
  packed.push_back(0);
  EXPECT_FALSE(decode(packed, content.size()));
  EXPECT_FALSE(decode(Bytes{0}, 0));
}

TEST(QuickCodec, AnotherSizeIsDamage) {
  const Bytes content = code(4000);
  const Bytes packed = quick_encode(content);
  for (const std::size_t size : {std::size_t{0}, content.size() - 1, content.size() + 1}) {
    EXPECT_FALSE(decode(packed, size)) << size;
  }
}

// How many flips of single bits are not noticed.
std::size_t unnoticed_flips(const Bytes& packed, std::size_t size) {
  std::size_t unnoticed = 0;
  for (std::size_t bit = 0; bit < 8 * packed.size(); bit++) {
    Bytes bad = packed;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1U << (bit % 8)));
    unnoticed += decode(bad, size).has_value();
  }
  return unnoticed;
}

// Whatever bit flips: nothing outside is touched, and it ends. The final state of the entropy coder
// tells the symbols apart. Plain bits it cannot tell: those of distances, an eighth of the packed
// code here. What it does not tell, the file's digest does.
TEST(QuickCodec, FlippedBitsStayInside) {
  const Bytes literals = quick_encode(noise(3000, 31)), copies = quick_encode(code(3000));
  EXPECT_LE(unnoticed_flips(literals, 3000), literals.size() / 50);  // hardly a copy
  EXPECT_LE(unnoticed_flips(copies, 3000), copies.size());
}

TEST(QuickCodec, NoiseInsteadOfAStreamStaysInside) {
  for (unsigned seed = 0; seed < 300; seed++) {
    EXPECT_FALSE(decode(noise(50 + seed * 7, 255, seed), 20000)) << seed;
  }
}

// A stream of one block, written by hand.
class OneBlock {
 public:
  // All shares for one symbol.
  OneBlock& table(std::uint32_t symbol) {
    gamma(symbol + 1);
    gamma(2 * (stub::kQuickScaleBits - stub::kQuickFirstBits) + 1);
    rans_.raw(0, stub::kQuickScaleBits);
    return *this;
  }
  OneBlock& raw(std::uint32_t value, std::uint32_t bits) {
    rans_.raw(value, bits);
    return *this;
  }
  OneBlock& gamma(std::uint32_t value) {
    for (int i = std::bit_width(value) - 2; i >= 0; i--) {
      rans_.raw(1, 1);
      rans_.raw(value >> i & 1, 1);
    }
    rans_.raw(0, 1);
    return *this;
  }
  // One that has all shares takes no bits and need not be written.
  OneBlock& symbol(std::uint32_t start, std::uint32_t size) {
    rans_.code(start, size, stub::kQuickScaleBits);
    return *this;
  }
  Bytes finish() {
    rans_.finish();
    return std::move(bytes_);
  }

 private:
  Bytes bytes_;
  packer::RansEncoder rans_{bytes_, 2};
};

// `run` literals "x", then copies of `length` at `offset`, so many sequences.
Bytes sequences(std::uint32_t run, std::uint32_t offset, std::uint32_t length,
                std::uint32_t count) {
  return OneBlock()
      .table(run)
      .table(offset)
      .table(length - 1)
      .table(length - 1)
      .table('x')
      .raw(count - 1, 16)
      .finish();
}

TEST(QuickDecoder, SequencesAreLiteralsAndACopy) {
  EXPECT_EQ(decode(sequences(2, 0, 3, 2), 10), Bytes(10, 'x'));
  EXPECT_EQ(decode(sequences(2, 3, 3, 1), 5), Bytes(5, 'x'));  // distance 1, given anew
  EXPECT_EQ(decode(sequences(4, 1, 3, 1), 7), Bytes(7, 'x'));  // distance 4
  EXPECT_EQ(decode(sequences(8, 2, 3, 1), 11), Bytes(11, 'x'));
  EXPECT_EQ(decode(sequences(5, 0, 1, 1), 5), Bytes(5, 'x')) << "literals alone";
}

TEST(QuickDecoder, CopiesFromBeforeTheStartAreDamage) {
  EXPECT_FALSE(decode(sequences(0, 0, 3, 1), 3));
  EXPECT_FALSE(decode(sequences(2, 5, 3, 1), 5));   // distance 3
  EXPECT_FALSE(decode(sequences(7, 2, 3, 1), 10));  // distance 8
}

TEST(QuickDecoder, MoreThanThereIsRoomForIsDamage) {
  EXPECT_FALSE(decode(sequences(2, 0, 4, 1), 5));
  EXPECT_FALSE(decode(sequences(6, 0, 4, 1), 5));
}

TEST(QuickDecoder, ABlockMayEndInTheMiddleOfItsSequencesOnlyBehindLiterals) {
  EXPECT_EQ(decode(sequences(2, 0, 3, 9), 7), Bytes(7, 'x'));
  EXPECT_FALSE(decode(sequences(2, 0, 3, 9), 10));
}

TEST(QuickDecoder, SymbolsThatNumbersDoNotHaveAreDamage) {
  const auto with_run = [](std::uint32_t symbol) {
    OneBlock block;
    block.table(symbol);
    for (int t = 0; t < 4; t++) block.table(0);
    return decode(block.raw(0, 16).raw(0, 30).finish(), 10);
  };
  EXPECT_FALSE(with_run(stub::kQuickNumberSymbols));
  EXPECT_FALSE(with_run(stub::kQuickNumberSymbols - 1)) << "a run of 3 GiB";
  EXPECT_FALSE(with_run(UINT32_MAX / 4));
}

TEST(QuickDecoder, LiteralsHaveAllBytes) {
  OneBlock block;
  block.table(1).table(0).table(0).table(0).table(255);
  EXPECT_EQ(decode(block.raw(0, 16).finish(), 1), Bytes{255});
  OneBlock beyond;
  beyond.table(1).table(0).table(0).table(0).table(256);
  EXPECT_FALSE(decode(beyond.raw(0, 16).finish(), 1));
}

TEST(QuickDecoder, TablesWithMoreSharesThanThereAreAreDamage) {
  // Runs of 0 or 1, of which the first has 2^10 + rest shares; a stream of one literal.
  const auto with_rest = [](std::uint32_t rest) {
    OneBlock block;
    block.gamma(1).gamma(15).raw(rest, 10).gamma(1).gamma(1).raw(0, 10);
    block.table(0).table(0).table(0).table('x');
    return decode(block.raw(0, 16).symbol(1024, 1024).finish(), 1);
  };
  EXPECT_EQ(with_rest(0), Bytes{'x'});
  EXPECT_FALSE(with_rest(1));
  EXPECT_FALSE(with_rest(1023));
}

TEST(QuickDecoder, MoreBitsThanSharesHaveAreDamage) {
  const auto with_difference = [](std::uint32_t zigzag) {
    OneBlock block;
    block.gamma(2).gamma(zigzag + 1).raw(0, 11);  // runs of 1
    block.table(0).table(0).table(0).table('x');
    return decode(block.raw(0, 16).finish(), 1);
  };
  EXPECT_EQ(with_difference(16), Bytes{'x'});
  for (const std::uint32_t zigzag : {18U, 7U, 1000U}) EXPECT_FALSE(with_difference(zigzag));
}

TEST(QuickNumber, IsASymbolAndPlainBits) {
  std::uint32_t last = 0;
  for (std::uint64_t value = 0; value <= UINT32_MAX; value += value / 64 + 1) {
    const auto wanted = static_cast<std::uint32_t>(value);
    const packer::QuickNumber number = packer::quick_number(wanted);
    ASSERT_LT(number.symbol, stub::kQuickNumberSymbols);
    ASSERT_GE(number.symbol, last);
    last = number.symbol;
    const std::uint32_t leading = 2 + number.symbol % 2;
    ASSERT_EQ(number.bits, number.symbol < 16 ? 0 : number.symbol / 2 - 5);
    ASSERT_EQ(number.symbol < 16 ? number.symbol : (leading << number.bits) + number.rest, wanted);
  }
  EXPECT_EQ(packer::quick_number(UINT32_MAX).symbol, stub::kQuickNumberSymbols - 1);
}

QuickCounts counts_of(std::initializer_list<std::pair<std::uint8_t, std::uint32_t>> literals) {
  QuickCounts counts;
  for (const auto& [byte, count] : literals) counts.symbols[stub::kQuickLiteral][byte] = count;
  return counts;
}

std::uint32_t sum(const QuickDistribution& sizes) {
  std::uint32_t all = 0;
  for (const std::uint16_t size : sizes) all += size;
  return all;
}

TEST(QuickCounts, SharesAreWhatThereIsToShareOut) {
  QuickCounts one_each, rare;
  for (auto& count : one_each.symbols[stub::kQuickLiteral]) count = 1;
  for (auto& count : rare.symbols[stub::kQuickLiteral]) count = 1;
  rare.symbols[stub::kQuickLiteral][7] = 4'000'000'000;
  for (const QuickCounts& counts :
       {QuickCounts{}, one_each, rare, counts_of({{5, 1}}), counts_of({{0, 3}, {255, 1}}),
        counts_of({{1, 1}, {2, 1}, {3, 1}}), counts_of({{1, 1'000'000}, {2, 1}})}) {
    const QuickDistribution sizes = counts.distribution(stub::kQuickLiteral);
    EXPECT_EQ(sum(sizes), stub::kQuickScale);
    for (std::size_t s = 1; s < sizes.size(); s++) {
      EXPECT_EQ(sizes[s] != 0, counts.symbols[stub::kQuickLiteral][s] != 0) << s;
    }
  }
  EXPECT_EQ(counts_of({{0, 3}, {255, 1}}).distribution(stub::kQuickLiteral)[0], 1536);
  EXPECT_EQ(QuickCounts{}.distribution(stub::kQuickRun)[0], stub::kQuickScale);
}

// Sequences of a block, counted, are as dear as the block that is written.
TEST(QuickCounts, PriceIsTheSizeOfTheBlock) {
  const Bytes content = noise(10000, 31);  // hardly a copy; one block
  QuickCounts counts;
  counts.add({10000, 0, 0}, content.data());
  const double bytes = static_cast<double>(counts.price()) / packer::kPriceOne / 8;
  EXPECT_NEAR(bytes, static_cast<double>(quick_encode(content).size()), 0.01 * bytes);
}

TEST(QuickCounts, AddUp) {
  const Bytes literals = noise(300);
  const packer::QuickSequence first{100, 2, 50}, second{200, 7000, 9};
  QuickCounts both, other;
  both.add(first, literals.data());
  both.add(second, literals.data() + 100);
  other.add(second, literals.data() + 100);
  QuickCounts sum;
  sum.add(first, literals.data());
  sum += other;
  EXPECT_EQ(sum.symbols, both.symbols);
  EXPECT_EQ(sum.plain_bits, both.plain_bits);
  EXPECT_EQ(both.symbols[stub::kQuickRepeatLength][packer::quick_number(49).symbol], 1);
  EXPECT_EQ(both.symbols[stub::kQuickLength][8], 1);
}

}  // namespace
}  // namespace whittle
