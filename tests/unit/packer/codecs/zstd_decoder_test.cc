// SPDX-License-Identifier: MIT
//
// The stub's decoder against libzstd, which is both encoder and oracle. Every decode below runs
// between pages that may not be touched.
#include "packer/stub/codecs/zstd_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/packer/guarded_memory.h"

namespace whittle::stub {
namespace {

using Bytes = std::vector<uint8_t>;

using test::GuardedMemory;

struct Decoded {
  ZstdStatus status;
  Bytes bytes;
};

Decoded decode(const Bytes& frame, size_t size) {
  static const auto workspace = std::make_unique<ZstdWorkspace>();
  const GuardedMemory source(frame);
  const GuardedMemory destination(size);
  const ZstdStatus status =
      zstd_decode(source.data(), source.size(), destination.data(), size, *workspace);
  return {status, destination.bytes()};
}

// What libzstd makes of it; nothing if it refuses, or if the frame does not fill `size` bytes
// exactly.
std::optional<Bytes> reference_decode(const Bytes& frame, size_t size) {
  static const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                          ZSTD_freeDCtx);
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_forceIgnoreChecksum, ZSTD_d_ignoreChecksum);
  if (ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size()) return std::nullopt;
  Bytes output(size + 1);
  const size_t result =
      ZSTD_decompressDCtx(context.get(), output.data(), size, frame.data(), frame.size());
  if (result != size) return std::nullopt;
  output.resize(size);
  return output;
}

using Parameters = std::map<ZSTD_cParameter, int>;

Bytes encode(const Bytes& input, const Parameters& parameters) {
  const std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                                   ZSTD_freeCCtx);
  for (const auto& [parameter, value] : parameters) {
    const size_t result = ZSTD_CCtx_setParameter(context.get(), parameter, value);
    if (ZSTD_isError(result)) throw std::runtime_error(ZSTD_getErrorName(result));
  }
  Bytes frame(ZSTD_compressBound(input.size()));
  const size_t size =
      ZSTD_compress2(context.get(), frame.data(), frame.size(), input.data(), input.size());
  if (ZSTD_isError(size)) throw std::runtime_error(ZSTD_getErrorName(size));
  frame.resize(size);
  return frame;
}

void expect_round_trip(const Bytes& input, const Parameters& parameters) {
  const Bytes frame = encode(input, parameters);
  const Decoded decoded = decode(frame, input.size());
  ASSERT_EQ(decoded.status, ZstdStatus::ok) << input.size() << " bytes";
  ASSERT_TRUE(decoded.bytes == input) << input.size() << " bytes";
}

// Frames made by hand, for what libzstd never emits.
Bytes frame_of(std::initializer_list<Bytes> parts) {
  Bytes frame = {0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58};  // no content size, window 2 MiB
  for (const Bytes& part : parts) frame.insert(frame.end(), part.begin(), part.end());
  return frame;
}

Bytes block_header(unsigned type, size_t size, bool last) {
  const auto value = static_cast<unsigned>(size << 3) | type << 1 | (last ? 1u : 0u);
  return {static_cast<uint8_t>(value), static_cast<uint8_t>(value >> 8),
          static_cast<uint8_t>(value >> 16)};
}

Bytes compressed_block(const Bytes& content, bool last = true) {
  Bytes block = block_header(2, content.size(), last);
  block.insert(block.end(), content.begin(), content.end());
  return block;
}

// ---- Data of many kinds, all from fixed seeds ----

Bytes random_bytes(size_t size, unsigned seed) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

// Text from a skewed alphabet, with copies from before at all distances, runs and short periods.
Bytes structured_bytes(size_t size, unsigned seed) {
  std::mt19937 random(seed);
  const size_t letters = 2 + random() % 200;
  Bytes bytes;
  const auto below = [&](size_t limit) { return static_cast<size_t>(random()) % limit; };
  size_t recent = 1;
  while (bytes.size() < size) {
    const unsigned kind = random() % 8;
    const size_t length = 1 + below(kind == 0 ? 400 : 24);
    if (kind < 3 || bytes.empty()) {
      for (size_t i = 0; i < length; ++i) {
        bytes.push_back(static_cast<uint8_t>(below(1 + below(letters)) * 37));
      }
    } else {
      if (kind < 6)
        recent = 1 + below(kind == 3 ? std::min<size_t>(bytes.size(), 20) : bytes.size());
      recent = std::min(recent, bytes.size());
      for (size_t i = 0; i < length; ++i) bytes.push_back(bytes[bytes.size() - recent]);
    }
  }
  bytes.resize(size);
  return bytes;
}

std::optional<Bytes> read_file(const char* path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  return Bytes{std::istreambuf_iterator<char>(stream), {}};
}

// ---- What libzstd encodes, we decode ----

TEST(ZstdDecoder, SizesFromNothingToManyBlocks) {
  std::vector<size_t> sizes = {511,   512,   1023,   1024,   1025,   16383,  16384,
                               65535, 65536, 131071, 131072, 131073, 262144, 300000};
  for (size_t size = 0; size <= 300; ++size) sizes.push_back(size);
  for (const size_t size : sizes) {
    for (const int level : {1, 19}) {
      expect_round_trip(structured_bytes(size, 7), {{ZSTD_c_compressionLevel, level}});
      if (HasFatalFailure()) return;
    }
  }
}

TEST(ZstdDecoder, LevelsWithAndWithoutChecksumAndContentSize) {
  for (const unsigned seed : {1u, 2u, 3u, 4u}) {
    const Bytes input = structured_bytes(200000 + seed * 1000, seed);
    for (const int level : {-50, -5, -1, 1, 3, 5, 9, 13, 16, 19, 22}) {
      for (const int checksum : {0, 1}) {
        for (const int content_size : {0, 1}) {
          expect_round_trip(input, {{ZSTD_c_compressionLevel, level},
                                    {ZSTD_c_checksumFlag, checksum},
                                    {ZSTD_c_contentSizeFlag, content_size}});
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(ZstdDecoder, EveryStrategyAndMinimumMatch) {
  for (int strategy = ZSTD_fast; strategy <= ZSTD_btultra2; ++strategy) {
    for (int minimum = 3; minimum <= 7; ++minimum) {
      expect_round_trip(structured_bytes(150000, static_cast<unsigned>(strategy * 10 + minimum)),
                        {{ZSTD_c_strategy, strategy}, {ZSTD_c_minMatch, minimum}});
      if (HasFatalFailure()) return;
    }
  }
}

TEST(ZstdDecoder, RandomStructuredData) {
  std::mt19937 random(2024);
  for (unsigned seed = 0; seed < 400; ++seed) {
    const size_t size = random() % (seed % 10 == 0 ? 300000 : 20000);
    expect_round_trip(structured_bytes(size, seed + 1000),
                      {{ZSTD_c_compressionLevel, static_cast<int>(random() % 25) - 3}});
    if (HasFatalFailure()) return;
  }
}

TEST(ZstdDecoder, IncompressibleDataIsRawBlocks) {
  for (const size_t size : {1u, 31u, 1000u, 131072u, 400000u}) {
    expect_round_trip(random_bytes(size, 5), {{ZSTD_c_compressionLevel, 3}});
    if (HasFatalFailure()) return;
  }
}

TEST(ZstdDecoder, RunsOfOneSymbol) {
  for (const size_t size : {1u, 2u, 100u, 131072u, 131073u, 1000000u}) {
    for (const int level : {1, 19}) {
      expect_round_trip(Bytes(size, 0xAB), {{ZSTD_c_compressionLevel, level}});
      if (HasFatalFailure()) return;
    }
  }
}

// All overlapping copies: periods 1..40, lengths about every multiple of a copy step.
TEST(ZstdDecoder, ShortPeriods) {
  for (size_t period = 1; period <= 40; ++period) {
    Bytes input;
    for (unsigned length = 0; length < 200; ++length) {
      const Bytes pattern = random_bytes(period, length);
      input.insert(input.end(), pattern.begin(), pattern.end());
      for (size_t i = 0; i < length; ++i) input.push_back(input[input.size() - period]);
    }
    expect_round_trip(input, {{ZSTD_c_compressionLevel, 19}});
    if (HasFatalFailure()) return;
  }
}

// Later blocks of alike data reuse Huffman trees (treeless literals) and FSE tables (repeat mode).
TEST(ZstdDecoder, RepeatedTables) {
  std::mt19937 random(99);
  Bytes input;
  for (int i = 0; i < 600000; ++i) {
    input.push_back(static_cast<uint8_t>("etaoin shrdlu"[random() % (1 + random() % 13)]));
  }
  for (const int level : {1, 2, 3, 4, 6}) {
    const Bytes frame = encode(input, {{ZSTD_c_compressionLevel, level}});
    expect_round_trip(input, {{ZSTD_c_compressionLevel, level}});
    if (HasFatalFailure()) return;
  }
}

TEST(ZstdDecoder, OffsetsAboveSixteenMebibytes) {
  Bytes input = random_bytes(20 << 20, 11);
  const Bytes head(input.begin(), input.begin() + 300000);
  input.insert(input.end(), head.begin(), head.end());
  const Parameters parameters = {
      {ZSTD_c_compressionLevel, 3}, {ZSTD_c_windowLog, 27}, {ZSTD_c_enableLongDistanceMatching, 1}};
  EXPECT_LT(encode(input, parameters).size(), (20u << 20) + 10000) << "the far match was not found";
  expect_round_trip(input, parameters);
}

TEST(ZstdDecoder, RealPrograms) {
  int found = 0;
  for (const char* path : {"/proc/self/exe", "/bin/busybox", "/bin/bash-static"}) {
    const std::optional<Bytes> input = read_file(path);
    if (!input) {
      std::printf("not on this machine: %s\n", path);
      continue;
    }
    ++found;
    for (const int level : {1, 3, 19}) {
      expect_round_trip(*input, {{ZSTD_c_compressionLevel, level}});
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GE(found, 1);
}

TEST(ZstdDecoder, RawAndRleBlocksByHand) {
  const Bytes frame = frame_of({block_header(0, 3, false),
                                {'a', 'b', 'c'},
                                block_header(1, 5, false),
                                {'d'},
                                block_header(0, 0, true)});
  const Decoded decoded = decode(frame, 8);
  EXPECT_EQ(decoded.status, ZstdStatus::ok);
  EXPECT_EQ(decoded.bytes, (Bytes{'a', 'b', 'c', 'd', 'd', 'd', 'd', 'd'}));
}

// ---- Each status ----

TEST(ZstdDecoderErrors, EveryTruncation) {
  for (const unsigned seed : {1u, 2u}) {
    for (const int checksum : {0, 1}) {
      const Bytes input = structured_bytes(3000, seed);
      const Bytes frame =
          encode(input, {{ZSTD_c_compressionLevel, 19}, {ZSTD_c_checksumFlag, checksum}});
      for (size_t size = 0; size < frame.size(); ++size) {
        EXPECT_EQ(
            decode(Bytes(frame.begin(), frame.begin() + static_cast<ptrdiff_t>(size)), input.size())
                .status,
            ZstdStatus::truncated)
            << size << " of " << frame.size();
      }
    }
  }
}

TEST(ZstdDecoderErrors, TrailingBytes) {
  const Bytes input = structured_bytes(1000, 1);
  Bytes frame = encode(input, {});
  frame.push_back(0);
  EXPECT_EQ(decode(frame, input.size()).status, ZstdStatus::trailing_bytes);
}

TEST(ZstdDecoderErrors, MagicNumber) {
  Bytes frame = encode(Bytes(10), {});
  frame[0] ^= 1;
  EXPECT_EQ(decode(frame, 10).status, ZstdStatus::bad_magic);
}

TEST(ZstdDecoderErrors, FrameHeader) {
  const Bytes end = block_header(0, 0, true);
  Bytes frame = frame_of({end});
  EXPECT_EQ(decode(frame, 0).status, ZstdStatus::ok);
  frame[4] = 0x08;
  EXPECT_EQ(decode(frame, 0).status, ZstdStatus::reserved_bits);
  frame[4] = 0x01;  // a dictionary identifier
  EXPECT_EQ(decode(frame, 0).status, ZstdStatus::unsupported_frame);
  frame[4] = 0;
  frame[5] = 22 << 3;  // a window of 4 GiB
  EXPECT_EQ(decode(frame, 0).status, ZstdStatus::unsupported_frame);
}

TEST(ZstdDecoderErrors, SizeOfDestination) {
  const Bytes input = structured_bytes(5000, 3);
  const Bytes sized = encode(input, {});
  EXPECT_EQ(decode(sized, 4999).status, ZstdStatus::size_mismatch);
  EXPECT_EQ(decode(sized, 5001).status, ZstdStatus::size_mismatch);
  const Bytes unsized = encode(input, {{ZSTD_c_contentSizeFlag, 0}});
  EXPECT_EQ(decode(unsized, 5001).status, ZstdStatus::size_mismatch);
  for (size_t size = 0; size < 5000; ++size) {
    ASSERT_EQ(decode(unsized, size).status, ZstdStatus::output_too_small) << size;
  }
}

TEST(ZstdDecoderErrors, Blocks) {
  EXPECT_EQ(decode(frame_of({block_header(3, 0, true)}), 0).status, ZstdStatus::reserved_bits);
  EXPECT_EQ(decode(frame_of({block_header(1, (128 << 10) + 1, true), {0}}), 200000).status,
            ZstdStatus::bad_block);
  EXPECT_EQ(decode(frame_of({compressed_block({})}), 0).status, ZstdStatus::bad_block);
  // Literals: 3 raw bytes announced, none there. Then: a tree of the previous block, and there is
  // none.
  EXPECT_EQ(decode(frame_of({compressed_block({3 << 3, 0})}), 3).status, ZstdStatus::bad_literals);
  EXPECT_EQ(decode(frame_of({compressed_block({0x03 | 1 << 4, 1 << 6, 0, 1, 0})}), 1).status,
            ZstdStatus::bad_literals);
}

// A block whose only literal is 'x' (RLE literals, one regenerated byte) and whose sequences
// section is `sequences`.
Bytes with_sequences(const Bytes& sequences) {
  Bytes content = {1 | 1 << 3, 'x'};
  content.insert(content.end(), sequences.begin(), sequences.end());
  return frame_of({compressed_block(content)});
}

TEST(ZstdDecoderErrors, Sequences) {
  // All three tables RLE: literal length 1 (code 1), offset code `of`, match length 3 (code 0).
  const auto one_sequence = [](uint8_t ll, uint8_t of, uint8_t ml, const Bytes& bits) {
    Bytes section = {1, 0x54, ll, of, ml};
    section.insert(section.end(), bits.begin(), bits.end());
    return with_sequences(section);
  };
  // Offset code 2 with extra bits 00: value 4, offset 1.
  const Decoded good = decode(one_sequence(1, 2, 0, {0x04}), 4);
  EXPECT_EQ(good.status, ZstdStatus::ok);
  EXPECT_EQ(good.bytes, Bytes(4, 'x'));

  EXPECT_EQ(decode(one_sequence(1, 2, 0, {0x05}), 4).status,
            ZstdStatus::bad_offset);  // offset 2 of 1
  EXPECT_EQ(decode(one_sequence(1, 2, 0, {0x02}), 4).status,
            ZstdStatus::bad_bitstream);  // one bit short
  EXPECT_EQ(decode(one_sequence(1, 2, 0, {0x08}), 4).status,
            ZstdStatus::bad_bitstream);  // one bit left
  EXPECT_EQ(decode(one_sequence(1, 2, 0, {0x00}), 4).status,
            ZstdStatus::bad_bitstream);  // no end mark
  EXPECT_EQ(decode(one_sequence(1, 2, 0, {}), 4).status, ZstdStatus::bad_bitstream);
  EXPECT_EQ(decode(one_sequence(2, 2, 0, {0x04}), 5).status,
            ZstdStatus::bad_sequences);  // 2 literals of 1
  EXPECT_EQ(decode(one_sequence(36, 2, 0, {0x04}), 4).status, ZstdStatus::bad_fse);
  EXPECT_EQ(decode(one_sequence(1, 32, 0, {0x04}), 4).status, ZstdStatus::bad_fse);
  EXPECT_EQ(decode(one_sequence(1, 2, 53, {0x04}), 4).status, ZstdStatus::bad_fse);
  EXPECT_EQ(decode(one_sequence(1, 2, 0, {0x04}), 3).status, ZstdStatus::output_too_small);
  EXPECT_EQ(decode(with_sequences({1, 0x55, 1, 2, 0, 0x04}), 4).status, ZstdStatus::reserved_bits);
  EXPECT_EQ(decode(with_sequences({1, 0xFC, 0x04}), 4).status,
            ZstdStatus::bad_fse);  // repeat of nothing
  EXPECT_EQ(decode(with_sequences({}), 1).status, ZstdStatus::bad_sequences);
  EXPECT_EQ(decode(with_sequences({0, 0}), 1).status, ZstdStatus::bad_sequences);
  EXPECT_EQ(decode(with_sequences({0x80, 0}), 1).status, ZstdStatus::bad_block);

  // No literals and offset value 3: the first repeat offset, which starts as one, minus one.
  EXPECT_EQ(decode(one_sequence(0, 1, 0, {0x03}), 4).status, ZstdStatus::zero_offset);
}

TEST(ZstdDecoderErrors, HuffmanTrees) {
  const auto with_tree = [](const Bytes& tree) {
    Bytes content = {0x02 | 1 << 4, static_cast<uint8_t>(tree.size() << 6),
                     static_cast<uint8_t>(tree.size() >> 2)};
    content.insert(content.end(), tree.begin(), tree.end());
    content.push_back(0);
    return frame_of({compressed_block(content)});
  };
  // Two symbols of one bit each: the stream holds one bit, 1, under the end mark.
  const Decoded good = decode(with_tree({128, 0x10, 0x03}), 1);
  EXPECT_EQ(good.status, ZstdStatus::ok);
  EXPECT_EQ(good.bytes, Bytes{1});
  EXPECT_EQ(decode(with_tree({128, 0x00, 0x03}), 1).status, ZstdStatus::bad_huffman);  // no weights
  EXPECT_EQ(decode(with_tree({129, 0x13, 0x03}), 1).status,
            ZstdStatus::bad_huffman);  // not a power of two
  EXPECT_EQ(decode(with_tree({128, 0x20, 0x03}), 1).status,
            ZstdStatus::bad_huffman);                                            // no longest code
  EXPECT_EQ(decode(with_tree({140, 0x10}), 1).status, ZstdStatus::bad_huffman);  // cut off
  EXPECT_EQ(decode(with_tree({10, 0x10}), 1).status, ZstdStatus::bad_huffman);
  // Weights 12, 11 .. 1 and the completing 1: codes of 12 bits.
  EXPECT_EQ(decode(with_tree({139, 0xCB, 0xA9, 0x87, 0x65, 0x43, 0x21, 0x03}), 1).status,
            ZstdStatus::long_huffman_code);
}

// ---- Damage ----

// Whatever the damage: no fault (guard pages; run under the sanitizers too), and what we accept
// libzstd accepts with the same bytes.
TEST(ZstdDecoderErrors, MutatedFrames) {
  std::mt19937 random(4711);
  int accepted = 0, refused = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    const Bytes input = structured_bytes(40 + random() % 1500, seed);
    const Bytes frame = encode(input, {{ZSTD_c_compressionLevel, static_cast<int>(random() % 20)}});
    for (int round = 0; round < 500; ++round) {
      Bytes mutated = frame;
      const size_t changes = 1 + random() % 4;
      for (size_t i = 0; i < changes; ++i) {
        uint8_t& byte = mutated[random() % mutated.size()];
        switch (random() % 3) {
          case 0:
            byte = static_cast<uint8_t>(random());
            break;
          case 1:
            byte = static_cast<uint8_t>(byte ^ 1u << random() % 8);
            break;
          default:
            byte = static_cast<uint8_t>(byte + 1);
            break;
        }
      }
      const Decoded decoded = decode(mutated, input.size());
      if (decoded.status != ZstdStatus::ok) {
        ++refused;
        continue;
      }
      ++accepted;
      const std::optional<Bytes> reference = reference_decode(mutated, input.size());
      ASSERT_TRUE(reference.has_value()) << "libzstd refuses: seed " << seed << ", round " << round;
      ASSERT_TRUE(*reference == decoded.bytes) << "seed " << seed << ", round " << round;
    }
  }
  EXPECT_EQ(accepted + refused, 30000);
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(refused, 10000);
}

}  // namespace
}  // namespace whittle::stub
