// SPDX-License-Identifier: MIT
//
// Literals and their Huffman codes (4.2).
//
// A tree is described by the *weight* of each symbol, which gives the length of its code; codes
// follow from lengths, as shorter ones come after longer ones and equals go by symbol. The weights
// in turn are stored as four bits each or coded by FSE. A code has at most 11 bits, so a table with
// an entry for all the 2048 values of the next 11 bits finds symbol and length in one load.
//
// Every symbol waits for the length of the one before. To hide that wait, literals come in four
// streams, a quarter of the bytes each, which the fast loop decodes side by side: five symbols from
// each stream per 64-bit load. It runs as long as no stream can run out, and a plain loop does the
// rest. A table of two symbols an entry would pay for text; the literals of machine code have long
// codes.
#include "packer/stub/codecs/zstd_literals.h"

#include "packer/stub/codecs/zstd_fse.h"

namespace whittle::stub {
namespace {

constexpr size_t kBlockSize = ZstdWorkspace::kBlockSize;
constexpr size_t kSlack = ZstdWorkspace::kSlack;

constexpr int kHuffmanBits = 11;

// Reads the weights of a tree description to ws.huffman_weights. Returns how many, or 0 for an
// error.
unsigned read_weights(Input& in, ZstdWorkspace& ws) {
  uint8_t* const weights = ws.huffman_weights;
  if (in.size() == 0) return 0;
  const unsigned header = *in.begin++;
  if (header >= 128) {  // four bits each
    const unsigned count = header - 127;
    if (in.size() < (count + 1) / 2) return 0;
    for (unsigned i = 0; i < count; ++i) {
      weights[i] = (i & 1) == 0 ? in.begin[i / 2] >> 4 : in.begin[i / 2] & 15;
    }
    in.begin += (count + 1) / 2;
    return count;
  }
  // Coded by two interleaved states of one FSE table; the end of the bits is the end of the
  // weights.
  if (in.size() < header) return 0;
  Input coded = {in.begin, in.begin + header};
  in.begin += header;
  unsigned symbols;
  int log;
  if (!read_fse_counts(coded, 6, 256, ws.counts, &symbols, &log)) return 0;
  build_fse_states(ws.weights, log, ws.counts, symbols);
  BitReader bits;
  if (!bits.open(coded)) return 0;
  uint64_t now = bits.take(static_cast<unsigned>(log));
  uint64_t other = bits.take(static_cast<unsigned>(log));
  if (bits.bits_left() < 0) return 0;
  for (unsigned count = 0; count < 254;) {
    const ZstdFseEntry& entry = ws.weights[now];
    weights[count++] = static_cast<uint8_t>(entry.base);
    if (!bits.refill()) return 0;
    now = entry.next + bits.take(entry.state_bits);
    if (bits.bits_left() < 0) {
      weights[count++] = static_cast<uint8_t>(ws.weights[other].base);
      return count;
    }
    const uint64_t swap = now;
    now = other;
    other = swap;
  }
  return 0;
}

// A weight w > 0 stands for a code of (longest code + 1 - w) bits; the last symbol's weight is the
// one that completes the code. Fills ws.huffman for look-up by the next 11 bits.
ZstdStatus read_huffman(Input& in, ZstdWorkspace& ws) {
  uint8_t* const weights = ws.huffman_weights;
  unsigned count = read_weights(in, ws);
  if (count == 0) return ZstdStatus::bad_huffman;

  uint32_t sum = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (weights[i] > kHuffmanBits + 1) return ZstdStatus::bad_huffman;
    sum += (1u << weights[i]) >> 1;
  }
  if (sum == 0) return ZstdStatus::bad_huffman;
  const int longest = highest_bit(sum) + 1;
  if (longest > kHuffmanBits + 1) return ZstdStatus::bad_huffman;
  const uint32_t rest = (1u << longest) - sum;
  if ((rest & (rest - 1)) != 0) return ZstdStatus::bad_huffman;
  weights[count++] = static_cast<uint8_t>(highest_bit(rest) + 1);

  uint32_t ranks[kHuffmanBits + 2];  // by weight: the number of symbols, then where its codes start
  for (uint32_t& rank : ranks) rank = 0;
  for (unsigned i = 0; i < count; ++i) ++ranks[weights[i]];
  if (ranks[1] < 2) return ZstdStatus::bad_huffman;
  if (longest > kHuffmanBits) return ZstdStatus::long_huffman_code;

  // Codes are given out from the longest to the shortest, in the order of symbols among equals.
  const int scale = kHuffmanBits - longest;
  uint32_t start = 0;
  for (int weight = 1; weight <= longest; ++weight) {
    const uint32_t next = start + (ranks[weight] << (weight - 1 + scale));
    ranks[weight] = start;
    start = next;
  }
  for (unsigned symbol = 0; symbol < count; ++symbol) {
    const int weight = weights[symbol];
    if (weight == 0) continue;
    const uint32_t entries = 1u << (weight - 1 + scale);
    const unsigned entry = symbol << 8 | static_cast<unsigned>(longest + 1 - weight);
    uint16_t* slot = ws.huffman + ranks[weight];
    ranks[weight] += entries;
    if (entries < 4) {
      for (uint32_t i = 0; i < entries; ++i) slot[i] = static_cast<uint16_t>(entry);
    } else {
      for (uint32_t i = 0; i < entries; i += 4)
        store64(slot + i, entry * uint64_t{0x0001000100010001});
    }
  }
  ws.have_huffman = true;
  return ZstdStatus::ok;
}

// Decodes the last (or only) symbols of one stream, which must end with the bits.
ZstdStatus decode_one_stream(BitReader bits, const uint16_t* table, uint8_t* out, uint8_t* end) {
  while (out != end) {
    if (!bits.refill()) return ZstdStatus::bad_bitstream;
    for (int i = 0; i < 5 && out != end; ++i) {
      const unsigned entry = table[(bits.window << bits.used) >> (64 - kHuffmanBits)];
      bits.used += entry & 0xFF;
      *out++ = static_cast<uint8_t>(entry >> 8);
    }
  }
  return bits.bits_left() == 0 ? ZstdStatus::ok : ZstdStatus::bad_bitstream;
}

// Four streams of equal regenerated size (the last may be shorter), after a table of three sizes.
ZstdStatus decode_four_streams(Input in, const uint16_t* table, uint8_t* out, size_t size) {
  if (in.size() < 6 || size < 6) return ZstdStatus::bad_literals;
  const uint8_t* const sizes = in.begin;
  in.begin += 6;

  BitReader bits[4];
#pragma GCC unroll 1
  for (int i = 0; i < 4; ++i) {
    const size_t length = i < 3 ? load16(sizes + 2 * i) : in.size();
    if (length > in.size()) return ZstdStatus::bad_literals;
    if (!bits[i].open({in.begin, in.begin + length})) return ZstdStatus::bad_bitstream;
    in.begin += length;
  }
  const size_t stride = (size + 3) / 4;
  if (3 * stride > size) return ZstdStatus::bad_literals;
  uint8_t* const end = out + size;
  uint8_t* const fast_end = out + (size - 3 * stride);  // the last stream is the shortest

  // Five symbols use up to 55 bits, so a step moves a reader by at most seven bytes. A one below
  // the 57 fresh bits travels up with them: where it stands tells how many were used.
  uint8_t* at = out;
  for (;;) {
    size_t steps = static_cast<size_t>(fast_end - at) / 5;
#pragma GCC unroll 1
    for (int i = 0; i < 4; ++i) {
      const size_t bytes = static_cast<size_t>(bits[i].position + 8);
      if (steps > bytes / 7) steps = bytes / 7;
    }
    if (steps == 0) break;
    const uint8_t* from[4];
    uint64_t window[4];
    for (int i = 0; i < 4; ++i) {
      from[i] = bits[i].base + bits[i].position;
      window[i] = (bits[i].window | 1) << bits[i].used;
    }
    do {
#pragma GCC unroll 1  // 400 bytes of code less, and not slower
      for (int symbol = 0; symbol < 5; ++symbol) {
#pragma GCC unroll 4
        for (unsigned i = 0; i < 4; ++i) {
          const unsigned entry = table[window[i] >> (64 - kHuffmanBits)];
          window[i] <<= entry & 63;
          at[i * stride + static_cast<unsigned>(symbol)] = static_cast<uint8_t>(entry >> 8);
        }
      }
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        const int used = __builtin_ctzll(window[i]);
        from[i] -= used >> 3;
        window[i] = (load64(from[i]) | 1) << (used & 7);
      }
      at += 5;
    } while (--steps != 0);
    for (int i = 0; i < 4; ++i) {
      bits[i].position = from[i] - bits[i].base;
      bits[i].used = static_cast<unsigned>(__builtin_ctzll(window[i]));
      bits[i].window = load64(from[i]);
    }
  }

#pragma GCC unroll 1
  for (size_t i = 0; i < 4; ++i) {
    uint8_t* const stream_end = i < 3 ? out + (i + 1) * stride : end;
    const ZstdStatus status = decode_one_stream(bits[i], table, at + i * stride, stream_end);
    if (status != ZstdStatus::ok) return status;
  }
  return ZstdStatus::ok;
}

}  // namespace

ZstdStatus read_literals(Input& in, const uint8_t* src_end, ZstdWorkspace& ws, Input* literals) {
  if (in.size() == 0) return ZstdStatus::bad_literals;
  const unsigned type = *in.begin & 3;
  const unsigned format = *in.begin >> 2 & 3;
  // The header's fields: how many bytes it has, where the sizes start and how wide they are.
  size_t header, width;
  if (type < 2) {
    header = format == 3 ? 3 : format == 1 ? 2 : 1;
    width = 20;  // what is above is zero by the header's size
  } else {
    header = format == 3 ? 5 : format == 2 ? 4 : 3;
    width = format == 3 ? 18 : format == 2 ? 14 : 10;
  }
  if (in.size() < header) return ZstdStatus::bad_literals;
  uint64_t fields = 0;
  for (size_t i = 0; i < header; ++i) fields |= uint64_t{in.begin[i]} << (8 * i);
  in.begin += header;
  fields >>= type < 2 && (format & 1) == 0 ? 3 : 4;
  const size_t size = static_cast<size_t>(fields & ((1u << width) - 1));
  if (size > kBlockSize) return ZstdStatus::bad_literals;

  literals->begin = ws.literals;
  literals->end = ws.literals + size;
  if (type == 0) {
    if (in.size() < size) return ZstdStatus::bad_literals;
    if (static_cast<size_t>(src_end - in.begin) >= size + kSlack) {
      *literals = {in.begin, in.begin + size};
    } else {
      copy_exact(ws.literals, in.begin, size);
    }
    in.begin += size;
    return ZstdStatus::ok;
  }
  if (type == 1) {
    if (in.size() == 0) return ZstdStatus::bad_literals;
    fill_exact(ws.literals, *in.begin++, size);
    return ZstdStatus::ok;
  }
  const size_t coded_size = static_cast<size_t>(fields >> width);
  if (in.size() < coded_size || size == 0) return ZstdStatus::bad_literals;
  Input coded = {in.begin, in.begin + coded_size};
  in.begin += coded_size;
  if (type == 2) {
    if (const ZstdStatus status = read_huffman(coded, ws); status != ZstdStatus::ok) return status;
  } else if (!ws.have_huffman) {
    return ZstdStatus::bad_literals;
  }
  if (format != 0) return decode_four_streams(coded, ws.huffman, ws.literals, size);
  BitReader bits;
  if (!bits.open(coded)) return ZstdStatus::bad_bitstream;
  return decode_one_stream(bits, ws.huffman, ws.literals, ws.literals + size);
}

}  // namespace whittle::stub
