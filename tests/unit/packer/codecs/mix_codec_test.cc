// SPDX-License-Identifier: MIT
//
// Encoder and decoder of the context-mixing codec against each other. Every decode runs between
// pages that may not be touched.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <memory>

#include "common/bytes.h"
#include "common/file.h"
#include "packer/codecs/mix_encoder.h"
#include "packer/stub/codecs/mix_decoder.h"
#include "packer/stub/transforms/x86_code.h"
#include "tests/unit/packer/guarded_memory.h"
#include "tests/unit/packer/subjects.h"

namespace whittle {
namespace {

using stub::MixStatus;
using test::noise;

struct Decoded {
  MixStatus status;
  Bytes bytes;
};

Decoded decode(ByteView packed, std::size_t size, std::uint8_t dirt = 0xa5) {
  const auto workspace = std::make_unique<stub::MixWorkspace>();
  std::memset(static_cast<void*>(workspace.get()), dirt, sizeof *workspace);
  const test::GuardedMemory source(packed), target(size);
  const MixStatus status =
      stub::mix_decode(source.data(), source.size(), target.data(), size, *workspace);
  return {status, target.bytes()};
}

constexpr stub::ModelKind kAll[] = {stub::kModelBytes, stub::kModelX86, stub::kModelAarch64};
static_assert(std::size(kAll) == stub::kModelKinds);

void expect_round_trip(ByteView content, const char* what) {
  for (const stub::ModelKind model : kAll) {
    const Bytes packed = packer::mix_encode(content, model);
    const Decoded decoded = decode(packed, content.size());
    EXPECT_EQ(decoded.status, MixStatus::ok) << what << ", model " << static_cast<int>(model);
    EXPECT_TRUE(std::equal(content.begin(), content.end(), decoded.bytes.begin()))
        << what << ", model " << static_cast<int>(model);
  }
}

Bytes code(std::size_t size) {
  const std::string text = test::some_code(size);
  Bytes bytes(text.begin(), text.end());
  stub::x86_to_absolute(bytes.data(), bytes.size(), 0x1000);
  return bytes;
}

TEST(MixCodec, GivesBackContentOfEverySmallSize) {
  for (std::size_t size = 0; size < 40; size++) {
    expect_round_trip(noise(size), "noise");
    expect_round_trip(Bytes(size, 0), "zeros");
  }
}

TEST(MixCodec, GivesBackNoiseRunsAndCode) {
  expect_round_trip(noise(70000), "noise");
  expect_round_trip(noise(70000, 1), "bits");
  expect_round_trip(noise(30000, 0x88), "few values");
  expect_round_trip(Bytes(1000000, 0x90), "one run");
  expect_round_trip(code(200000), "code");
}

TEST(MixCodec, GivesBackARealProgram) {
  Bytes bytes = read_file("/proc/self/exe").bytes;
  bytes.resize(std::min<std::size_t>(bytes.size(), 600000));
  expect_round_trip(bytes, "this test");
}

TEST(MixCodec, FindsMatchesAcrossTheWholeStream) {
  Bytes content = noise(300000);
  const Bytes again(content.begin(), content.begin() + 5000);
  content.insert(content.end(), again.begin(), again.end());
  const Bytes packed = packer::mix_encode(content, stub::kModelBytes);
  // Adaptive models make noise 1.3 % larger; its second 5,000 bytes must cost next to nothing.
  EXPECT_LT(packed.size(),
            packer::mix_encode(ByteView(content).first(300000), stub::kModelBytes).size() + 30);
  EXPECT_EQ(decode(packed, content.size()).bytes, content);
}

TEST(MixCodec, TheSameInputGivesTheSameBytes) {
  const Bytes content = code(100000);
  EXPECT_EQ(packer::mix_encode(content, stub::kModelX86),
            packer::mix_encode(content, stub::kModelX86));
}

TEST(MixCodec, TheWorkspaceMayHoldAnything) {
  const Bytes content = code(50000);
  const Bytes packed = packer::mix_encode(content, stub::kModelX86);
  EXPECT_EQ(decode(packed, content.size(), 0x00).bytes, content);
  EXPECT_EQ(decode(packed, content.size(), 0xff).bytes, content);
}

TEST(MixCodec, ReportsProgressToTheLastByte) {
  std::atomic<std::uint64_t> done = 0;
  const Bytes content = code(100000);
  packer::mix_encode(content, stub::kModelX86, stub::kMaxTableBits, &done);
  EXPECT_EQ(done, content.size());
}

TEST(MixCodec, AnyTruncationIsDamage) {
  const Bytes content = code(4000);
  const Bytes packed = packer::mix_encode(content, stub::kModelX86);
  for (std::size_t size = 0; size < packed.size(); size++) {
    EXPECT_EQ(decode(ByteView(packed).first(size), content.size()).status, MixStatus::damaged)
        << size;
  }
}

TEST(MixCodec, BytesBehindTheEndAreDamage) {
  const Bytes content = code(4000);
  Bytes packed = packer::mix_encode(content, stub::kModelX86);
  packed.push_back(0);
  EXPECT_EQ(decode(packed, content.size()).status, MixStatus::damaged);
}

TEST(MixCodec, AnotherSizeIsDamage) {
  const Bytes content = code(4000);
  const Bytes packed = packer::mix_encode(content, stub::kModelX86);
  for (const std::size_t size : {std::size_t{0}, content.size() - 1, content.size() + 1}) {
    EXPECT_EQ(decode(packed, size).status, MixStatus::damaged) << size;
  }
}

TEST(MixCodec, AnUnknownModelIsDamage) {
  Bytes packed = packer::mix_encode(code(1000), stub::kModelBytes);
  packed[0] = stub::kModelKinds;
  EXPECT_EQ(decode(packed, 1000).status, MixStatus::damaged);
}

TEST(MixCodec, MoreThanEightColumnsAreDamage) {
  Bytes packed = packer::mix_encode(code(1000), stub::kModelBytes);
  packed[1] = 8;
  EXPECT_EQ(decode(packed, 1000).status, MixStatus::damaged);
}

// Numbers in columns, words, noise: each is packed with contexts that suit it.
TEST(MixCodec, ChoosesTheContexts) {
  const auto header = [](ByteView content) {
    stub::MixHeader h;
    std::memcpy(&h, packer::mix_encode(content, stub::kModelBytes).data(), sizeof h);
    return h;
  };
  Bytes columns = noise(40000);
  for (std::size_t i = 0; i < columns.size(); i++) {
    columns[i] = static_cast<std::uint8_t>((columns[i] & 15) + i % 4 * 60);
  }
  EXPECT_EQ(header(columns).columns & 3, 3);
  Bytes pairs = noise(40000, 15);  // every byte tells the one but next
  for (std::size_t i = 2; i < pairs.size(); i++) {
    if (i % 7 != 0) pairs[i] = static_cast<std::uint8_t>(pairs[i - 2] * 5 + (pairs[i] & 1));
  }
  const stub::MixHeader h = header(pairs);
  EXPECT_NE((h.general | h.specific) & 4, 0);
  EXPECT_EQ(header(noise(40000)).general, 0);
}

// Tables are as large as the stream deserves and the caller allows; all sizes decode.
TEST(MixCodec, TablesOfEverySize) {
  const Bytes content = code(60000);
  std::uint8_t bits_before = 0;
  for (const std::size_t size : {0, 100, 5000, 60000}) {
    const Bytes packed = packer::mix_encode(ByteView(content).first(size), stub::kModelX86);
    stub::MixHeader header;
    std::memcpy(&header, packed.data(), sizeof header);
    EXPECT_GE(header.table_bits, bits_before) << size;
    bits_before = header.table_bits;
  }
  EXPECT_EQ(bits_before, stub::kMaxTableBits);
  for (std::uint8_t bits = 4; bits <= stub::kMaxTableBits; bits++) {
    const Bytes packed = packer::mix_encode(content, stub::kModelX86, bits);
    stub::MixHeader header;
    std::memcpy(&header, packed.data(), sizeof header);
    EXPECT_EQ(header.table_bits, bits);
    const auto decoded = decode(packed, content.size());
    EXPECT_EQ(decoded.status, MixStatus::ok) << int{bits};
    EXPECT_EQ(decoded.bytes, content) << int{bits};
  }
  Bytes larger = packer::mix_encode(content, stub::kModelX86);
  larger[offsetof(stub::MixHeader, table_bits)] = stub::kMaxTableBits + 1;
  EXPECT_EQ(decode(larger, content.size()).status, MixStatus::damaged);
}

// Whatever bit flips: nothing outside is touched, and it ends. The final state of the entropy coder
// tells nearly all of it apart; what it does not tell, the file's digest does. (Of the header, code
// has no use for three bytes.)
TEST(MixCodec, FlippedBitsStayInside) {
  const Bytes content = code(3000);
  const Bytes good = packer::mix_encode(content, stub::kModelX86);
  std::size_t noticed = 0, flips = 0;
  for (std::size_t i = 0; i < good.size(); i++) {
    Bytes bad = good;
    bad[i] = static_cast<std::uint8_t>(bad[i] ^ (1U << (i % 8)));
    const bool damaged = decode(bad, content.size()).status == MixStatus::damaged;
    if (i < sizeof(stub::MixHeader)) continue;
    noticed += damaged;
    flips++;
  }
  EXPECT_GE(noticed, flips - 2);
}

TEST(MixCodec, NoiseInsteadOfAStreamStaysInside) {
  for (unsigned seed = 0; seed < 300; seed++) {
    Bytes bytes = noise(50 + seed * 7, 255, seed);
    bytes[0] = static_cast<std::uint8_t>(seed % stub::kModelKinds);
    EXPECT_EQ(decode(bytes, 20000).status, MixStatus::damaged) << seed;
  }
}

}  // namespace
}  // namespace whittle
