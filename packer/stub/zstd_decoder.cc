// SPDX-License-Identifier: MIT
//
// How a Zstandard frame becomes bytes again, in the least code that is still fast.
//
// A frame is a header and a chain of blocks of up to 128 KiB. A compressed block has two sections:
// its *literals*, bytes coded by a Huffman tree (in four streams that can be read side by side),
// and its *sequences*, triples of (literal length, match length, offset) coded by three interleaved
// FSE state machines. Executing a sequence copies literals and then a match from what was written
// before. All coded streams are read backwards, last byte first.
//
// Why not libzstd: its decoder is 222 KB of text where a stub has 16 KiB for everything, and it
// uses the stack protector through the thread pointer, which nobody has set up when a stub runs.
//
// Speed comes from five decisions:
// - Sequences are decoded in batches to a small array, and executed in a second loop. The usual
//   fused loop pays for each wrongly predicted copy length with the latency of the state machines
//   as well. Apart, each loop fits the registers; the price is 3 KiB of traffic in the first-level
//   cache.
// - A batch's sums are known before anything is copied, so one comparison per batch decides between
//   the fast loop (copies in steps of 16 bytes that may write up to kSlack bytes too far) and the
//   exact one, used at the end of the destination.
// - Repeat offsets are resolved by conditional moves in a loop of their own.
// - A table entry holds all that a state means in eight bytes: value, extra bits, the next state.
// - Huffman decoding takes five symbols from each stream per 64-bit load. A table of two symbols an
//   entry would pay for text; the literals of machine code have long codes.
//
// Bounds: every section's size is checked before it is looked into. A backward reader always loads
// eight bytes that end where its bits end, so it may touch up to eight bytes *before* its stream:
// they are there, because frame and block header (at least nine bytes) come before any stream. What
// an overrun reads is garbage inside of the source, and it is noticed, because at the end exactly
// zero bits must be left.
//
// Terms and section numbers are those of RFC 8878.
#include "packer/stub/zstd_decoder.h"

namespace whittle::packer {
namespace {

constexpr size_t kBlockSize = ZstdWorkspace::kBlockSize;
constexpr size_t kSlack = ZstdWorkspace::kSlack;

constexpr int kHuffmanBits = 11;

// The three fields of a sequence, in the order of the format. Their properties are parallel arrays
// of plain numbers, as a table of pointers would need relocations.
enum Field : unsigned { kLiteralLength, kOffset, kMatchLength };
constexpr uint8_t kFirstCode[4] = {0, 36, 68, 121};  // where codes start in the arrays below
constexpr uint8_t kFirstValue[3] = {0, 1, 3};        // value of a field's code 0
constexpr uint8_t kMaxLog[3] = {9, 8, 9};
constexpr uint8_t kDefaultLog[3] = {6, 5, 6};

// Extra bits of each code (3.1.1.3.2.1.1). Values need no table: each code's start where the code
// before it ends.
constexpr uint8_t kExtraBits[121] = {
    0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  1,  1,   // literal lengths
    1,  1,  2,  2,  3,  3,  4,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,  //
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,          // offsets
    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,          //
    0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,   // match lengths
    0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  1,  1,  1,  1,   //
    2,  2,  3,  3,  4,  4,  5,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16};

// Distributions of the predefined mode (3.1.1.3.2.2), which knows no offset codes above 28.
constexpr int8_t kDefaultCounts[121] = {
    4, 3, 2, 2, 2, 2, 2, 2, 2,  2,  2,  2,  2,  1,  1,  1,  2,  2,   // literal lengths
    2, 2, 2, 2, 2, 2, 2, 3, 2,  1,  1,  1,  1,  1,  -1, -1, -1, -1,  //
    1, 1, 1, 1, 1, 1, 2, 2, 2,  1,  1,  1,  1,  1,  1,  1,           // offsets
    1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, 0,  0,  0,           //
    1, 4, 3, 2, 2, 2, 2, 2, 2,  1,  1,  1,  1,  1,  1,  1,  1,  1,   // match lengths
    1, 1, 1, 1, 1, 1, 1, 1, 1,  1,  1,  1,  1,  1,  1,  1,  1,  1,   //
    1, 1, 1, 1, 1, 1, 1, 1, 1,  1,  -1, -1, -1, -1, -1, -1, -1};

inline uint16_t load16(const uint8_t* p) {
  uint16_t value;
  __builtin_memcpy(&value, p, sizeof value);
  return value;
}

inline uint32_t load32(const uint8_t* p) {
  uint32_t value;
  __builtin_memcpy(&value, p, sizeof value);
  return value;
}

inline uint64_t load64(const uint8_t* p) {
  uint64_t value;
  __builtin_memcpy(&value, p, sizeof value);
  return value;
}

inline void store64(void* p, uint64_t value) { __builtin_memcpy(p, &value, sizeof value); }

inline void copy16(uint8_t* dst, const uint8_t* src) { __builtin_memcpy(dst, src, 16); }

// Position of the highest bit that is set; `value` is not zero.
inline int highest_bit(uint32_t value) { return 31 - __builtin_clz(value); }

// The same value, but the compiler does not know: it cannot relate two conditions and make one
// branch of them.
inline uint32_t opaque(uint32_t value) {
  asm("" : "+r"(value));
  return value;
}

inline uint64_t low_bits(uint64_t value, unsigned count) {
  return value & ((uint64_t{1} << count) - 1);
}

// Copies that touch nothing but their bytes. The areas do not overlap.
[[gnu::noinline]] void copy_exact(uint8_t* dst, const uint8_t* src, size_t size) {
  for (; size >= 16; size -= 16, dst += 16, src += 16) copy16(dst, src);
  for (; size != 0; --size) *dst++ = *src++;
}

[[gnu::noinline]] void fill_exact(uint8_t* dst, uint8_t byte, size_t size) {
  const uint64_t pattern = byte * uint64_t{0x0101010101010101};
  for (; size >= 8; size -= 8, dst += 8) store64(dst, pattern);
  for (; size != 0; --size) *dst++ = byte;
}

// Bytes not yet parsed. Sections are taken from the front, after a comparison with `size()`.
struct Input {
  const uint8_t* begin;
  const uint8_t* end;

  size_t size() const { return static_cast<size_t>(end - begin); }
};

// Reads bits from the end of a byte array to its start. The eight bytes at `base + position` are in
// `window`; `used` bits at its top are spent. `position` may go down to -8 (see "Bounds" above).
struct BitReader {
  const uint8_t* base;
  ptrdiff_t position;
  uint64_t window;
  unsigned used;

  // The last byte's highest set bit marks where the bits end (4.1). False if there is none.
  bool open(Input in) {
    if (in.size() == 0 || in.end[-1] == 0) return false;
    base = in.begin;
    position = in.end - in.begin - 8;
    used = static_cast<unsigned>(8 - highest_bit(in.end[-1]));
    window = load64(base + position);
    return true;
  }

  // Makes at least 57 bits available. False if more bits were read than there are, by at least a
  // byte.
  bool refill() {
    position -= used >> 3;
    used &= 7;
    if (position < -8) return false;
    window = load64(base + position);
    return true;
  }

  uint64_t take(unsigned count) {
    const uint64_t value = (window << used) >> 1 >> (~count & 63);
    used += count;
    return value;
  }

  ptrdiff_t bits_left() const { return (position + 8) * 8 - static_cast<ptrdiff_t>(used); }
};

// ---- Finite state entropy tables (4.1) ----

// Bits from `bit` on, at least 25 of them; zeros follow the end of the input.
[[gnu::noinline]] uint32_t peek_bits(const Input& in, size_t bit) {
  uint32_t value = 0;
  const size_t byte = bit >> 3;
  for (size_t i = 0; i < 4 && byte + i < in.size(); ++i) {
    value |= uint32_t{in.begin[byte + i]} << (8 * i);
  }
  return value >> (bit & 7);
}

// Reads a table description: fills `counts` for symbols 0..*symbols-1 and the accuracy log.
bool read_counts(Input& in, int max_log, unsigned max_symbols, int16_t* counts, unsigned* symbols,
                 int* log) {
  size_t bit = 0;
  *log = static_cast<int>(peek_bits(in, bit) & 15) + 5;
  bit = 4;
  if (*log > max_log) return false;

  int remaining = 1 << *log;
  unsigned symbol = 0;
  while (remaining > 0) {
    if (symbol == max_symbols) return false;
    // A value in 0..remaining+1: the smaller ones take one bit less.
    const int bits = highest_bit(static_cast<uint32_t>(remaining + 1)) + 1;
    const int low_mask = (1 << (bits - 1)) - 1;
    const int short_values = (1 << bits) - 2 - remaining;
    int value = static_cast<int>(peek_bits(in, bit)) & ((1 << bits) - 1);
    bit += static_cast<unsigned>(bits);
    if ((value & low_mask) < short_values) {
      value &= low_mask;
      --bit;
    } else if (value > low_mask) {
      value -= short_values;
    }
    const int count = value - 1;  // -1 stands for "less than one": one state, always a full reset
    remaining -= count < 0 ? 1 : count;
    counts[symbol++] = static_cast<int16_t>(count);
    if (count != 0) continue;
    for (unsigned repeat = 3; repeat == 3;) {
      repeat = peek_bits(in, bit) & 3;
      bit += 2;
      if (repeat > max_symbols - symbol) return false;
      for (unsigned i = 0; i < repeat; ++i) counts[symbol++] = 0;
    }
    if (bit > in.size() * 8) return false;
  }
  const size_t used = (bit + 7) >> 3;
  if (used > in.size()) return false;
  in.begin += used;
  *symbols = symbol;
  return true;
}

// Spreads the symbols over the states and links the states. `base` of each entry is the symbol
// afterwards. `counts` is used up.
void build_states(ZstdFseEntry* table, int log, int16_t* counts, unsigned symbols) {
  const unsigned size = 1u << log;
  unsigned high = size;
  for (unsigned s = 0; s < symbols; ++s) {
    if (counts[s] < 0) {
      table[--high].base = s;
      counts[s] = 1;
    } else if (counts[s] == 0) {
      continue;
    } else {
      counts[s] = static_cast<int16_t>(-counts[s]);  // to be spread
    }
  }
  const unsigned step = (size >> 1) + (size >> 3) + 3;
  unsigned position = 0;
  for (unsigned s = 0; s < symbols; ++s) {
    if (counts[s] >= 0) continue;
    const int count = -counts[s];
    counts[s] = static_cast<int16_t>(count);
    for (int i = 0; i < count; ++i) {
      table[position].base = s;
      do position = (position + step) & (size - 1);
      while (position >= high);
    }
  }
  for (unsigned i = 0; i < size; ++i) {
    ZstdFseEntry& entry = table[i];
    const auto rank = static_cast<uint32_t>(counts[entry.base]++);
    const int bits = log - highest_bit(rank);
    entry.state_bits = static_cast<uint8_t>(bits);
    entry.next = static_cast<uint16_t>((rank << bits) - size);
  }
}

// Reads or makes the table of one field by its compression mode (3.1.1.3.2.1).
bool read_states(Input& in, unsigned field, unsigned mode, ZstdWorkspace& ws) {
  const unsigned first_code = kFirstCode[field];
  const unsigned codes = kFirstCode[field + 1] - first_code;
  ZstdFseEntry* const table = ws.states[field];
  unsigned symbols = codes;
  int log = 0;
  if (mode == 3) return ws.have_states;  // repeat
  if (mode == 1) {                       // one symbol
    if (in.size() == 0 || *in.begin >= codes) return false;
    table[0] = {*in.begin++, 0, 0, 0};
  } else {
    if (mode == 0) {  // predefined
      log = kDefaultLog[field];
      for (unsigned i = 0; i < codes; ++i) ws.counts[i] = kDefaultCounts[first_code + i];
    } else if (!read_counts(in, kMaxLog[field], codes, ws.counts, &symbols, &log)) {
      return false;
    }
    build_states(table, log, ws.counts, symbols);
  }
  ws.logs[field] = static_cast<uint8_t>(log);

  uint32_t values[53];
  uint32_t value = kFirstValue[field];
  for (unsigned code = 0; code < codes; ++code) {
    values[code] = value;
    value += uint32_t{1} << kExtraBits[first_code + code];
  }
  for (unsigned i = 0; i < 1u << log; ++i) {
    const uint32_t code = table[i].base;
    table[i].base = values[code];
    table[i].extra_bits = kExtraBits[first_code + code];
  }
  return true;
}

// ---- Literals (3.1.1.3.1) and their Huffman codes (4.2) ----

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
  if (!read_counts(coded, 6, 256, ws.counts, &symbols, &log)) return 0;
  build_states(ws.weights, log, ws.counts, symbols);
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
ZstdStatus decode_stream(BitReader bits, const uint16_t* table, uint8_t* out, uint8_t* end) {
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

// Four streams of equal regenerated size (the last may be shorter), behind a table of three sizes.
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
    const ZstdStatus status = decode_stream(bits[i], table, at + i * stride, stream_end);
    if (status != ZstdStatus::ok) return status;
  }
  return ZstdStatus::ok;
}

// Takes the literals section off the block. `literals` gets the literals, kSlack readable bytes
// after them.
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
  return decode_stream(bits, ws.huffman, ws.literals, ws.literals + size);
}

// ---- Sequences (3.1.1.3.2) ----

// The three state machines of a block's sequences, and the bits that drive them.
struct SequenceDecoder {
  BitReader bits;
  uint64_t state[3];  // by field
};

// Decodes `count` sequences to ws.batch, with offsets as coded (see resolve_offsets). `last` says
// that the bits must end with them.
ZstdStatus decode_batch(SequenceDecoder& decoder, ZstdWorkspace& ws, size_t count, bool last) {
  SequenceDecoder now = decoder;
  BitReader bits = now.bits;
  unsigned update_bits;
  ZstdSequence* out = ws.batch;
  ZstdSequence* const end = ws.batch + count;
  for (;;) {
    if (!bits.refill()) return ZstdStatus::bad_bitstream;
    const ZstdFseEntry& of = ws.states[kOffset][now.state[kOffset]];
    const ZstdFseEntry& ml = ws.states[kMatchLength][now.state[kMatchLength]];
    const ZstdFseEntry& ll = ws.states[kLiteralLength][now.state[kLiteralLength]];

    // A refill gives 57 bits: enough for an offset and the update of the states, 31 + 26. Most
    // lengths have no extra bits.
    out->offset = of.base + static_cast<uint32_t>(bits.take(of.extra_bits));
    uint32_t match = ml.base;
    uint32_t run = ll.base;
    if ((ml.extra_bits | ll.extra_bits) != 0) {
      if (!bits.refill()) return ZstdStatus::bad_bitstream;
      match += static_cast<uint32_t>(bits.take(ml.extra_bits));
      run += static_cast<uint32_t>(bits.take(ll.extra_bits));
      if (!bits.refill()) return ZstdStatus::bad_bitstream;
    }
    out->match = match;
    out->literals = run;
    ++out;

    update_bits = unsigned{ll.state_bits} + ml.state_bits + of.state_bits;
    const uint64_t update = bits.take(update_bits);
    const uint64_t update_ml = update >> of.state_bits;
    const uint64_t update_ll = update_ml >> ml.state_bits;
    now.state[kOffset] = of.next + low_bits(update, of.state_bits);
    now.state[kMatchLength] = ml.next + low_bits(update_ml, ml.state_bits);
    now.state[kLiteralLength] = ll.next + update_ll;
    if (out == end) break;
  }
  // The last sequence updates no states, so what the update above took is not there.
  if (last && bits.bits_left() + static_cast<ptrdiff_t>(update_bits) != 0) {
    return ZstdStatus::bad_bitstream;
  }
  now.bits = bits;
  decoder = now;
  return ZstdStatus::ok;
}

// What a batch adds up to.
struct Sums {
  size_t literals, produced;
};

// Turns the coded offsets of a batch into distances (3.1.1.5): values 1..3 name an earlier offset
// of `repeat`, shifted by one when there are no literals. Checks that they stay within the
// `produced` bytes before. There are no branches, as a third of the offsets are repeated ones and
// nobody can predict which.
ZstdStatus resolve_offsets(ZstdSequence* sequence, const ZstdSequence* end, uint32_t* repeat,
                           size_t produced, Sums* sums) {
  uint32_t repeat0 = repeat[0], repeat1 = repeat[1], repeat2 = repeat[2];
  size_t literals = 0;
  for (; sequence != end; ++sequence) {
    const uint32_t value = sequence->offset;
    const uint32_t run = sequence->literals;
    const uint32_t index = value - 1 + (run == 0);
    uint32_t offset = value > 3 ? value - 3 : repeat0 - 1;
    offset = opaque(index) == 2 ? repeat2 : offset;
    offset = opaque(index) == 1 ? repeat1 : offset;
    offset = opaque(index) == 0 ? repeat0 : offset;
    repeat2 = opaque(index) >= 2 ? repeat1 : repeat2;
    repeat1 = opaque(index) >= 1 ? repeat0 : repeat1;
    repeat0 = offset;

    literals += run;
    produced += run;
    if (size_t{offset} - 1 >= produced) {
      return offset == 0 ? ZstdStatus::zero_offset : ZstdStatus::bad_offset;
    }
    produced += sequence->match;
    sequence->offset = offset;
  }
  repeat[0] = repeat0;
  repeat[1] = repeat1;
  repeat[2] = repeat2;
  *sums = {literals, produced};
  return ZstdStatus::ok;
}

// Copies a match that overlaps its own output, offset < 16: its first bytes are a pattern to be
// repeated.
inline void repeat_pattern(uint8_t* out, uint64_t size, uint32_t offset) {
  uint8_t* const end = out + size;
  const uint8_t* const from = out - offset;
  if (offset >= 8) {
    const uint64_t low = load64(from), high = load64(from + 8);
    do {
      store64(out, low);
      store64(out + 8, high);
      out += offset;
    } while (out < end);
    return;
  }
  // Fill eight bytes with the pattern, then step by as many whole patterns as fit.
  uint64_t pattern = load64(from) << (64 - 8 * offset) >> (64 - 8 * offset);
  unsigned step = offset;
  for (; step <= 4; step *= 2) pattern |= pattern << (8 * step);
  if (offset == 3) step = 6;
  do {
    store64(out, pattern);
    out += step;
  } while (out < end);
}

// Executes sequences where kSlack bytes beyond their output, and beyond the literals, may be
// touched.
void execute_fast(const ZstdSequence* sequence, const ZstdSequence* end, uint8_t* out,
                  const uint8_t* literals) {
  for (; sequence != end; ++sequence) {
    const size_t run = sequence->literals;
    copy16(out, literals);
    if (run > 16) {
      size_t done = 16;
      do {
        copy16(out + done, literals + done);
        done += 16;
      } while (done < run);
    }
    out += run;
    literals += run;

    const size_t match = sequence->match;
    const size_t offset = sequence->offset;
    if (offset >= 16) {
      const uint8_t* const from = out - offset;
      copy16(out, from);
      copy16(out + 16, from + 16);
      for (size_t done = 32; done < match; done += 16) copy16(out + done, from + done);
    } else {
      repeat_pattern(out, match, sequence->offset);
    }
    out += match;
  }
}

// The same for the end of the destination: touches nothing but what belongs to the sequences.
void execute_exact(const ZstdSequence* sequence, const ZstdSequence* end, uint8_t* out,
                   const uint8_t* literals) {
  for (; sequence != end; ++sequence) {
    copy_exact(out, literals, sequence->literals);
    out += sequence->literals;
    literals += sequence->literals;
    const uint8_t* from = out - sequence->offset;
    for (uint32_t i = 0; i < sequence->match; ++i) *out++ = *from++;
  }
}

// ---- Blocks and the frame ----

// Where output goes, and what blocks hand on to each other besides tables.
struct Output {
  uint8_t* begin;
  uint8_t* at;
  uint8_t* end;
  uint32_t repeat[3];

  size_t room() const { return static_cast<size_t>(end - at); }
};

ZstdStatus decode_sequences(Input in, Input literals, Output& out, ZstdWorkspace& ws,
                            size_t sequences) {
  // Sequence_Section_Header's modes: two bits a field, the lowest two reserved.
  if (in.size() == 0) return ZstdStatus::bad_sequences;
  const unsigned modes = *in.begin++;
  if ((modes & 3) != 0) return ZstdStatus::reserved_bits;
  for (unsigned field = 0; field < 3; ++field) {
    if (!read_states(in, field, modes >> (6 - 2 * field) & 3, ws)) return ZstdStatus::bad_fse;
  }
  ws.have_states = true;

  SequenceDecoder decoder;
  if (!decoder.bits.open(in)) return ZstdStatus::bad_bitstream;
  for (unsigned field = 0; field < 3; ++field) {
    decoder.state[field] = decoder.bits.take(ws.logs[field]);
  }

  const size_t dst_size = static_cast<size_t>(out.end - out.begin);
  while (sequences != 0) {
    const size_t count = sequences < ZstdWorkspace::kBatch ? sequences : ZstdWorkspace::kBatch;
    sequences -= count;
    ZstdStatus status = decode_batch(decoder, ws, count, sequences == 0);
    if (status != ZstdStatus::ok) return status;
    Sums sums;
    status = resolve_offsets(ws.batch, ws.batch + count, out.repeat,
                             static_cast<size_t>(out.at - out.begin), &sums);
    if (status != ZstdStatus::ok) return status;
    if (sums.literals > literals.size()) return ZstdStatus::bad_sequences;
    if (sums.produced > dst_size) return ZstdStatus::output_too_small;
    if (dst_size - sums.produced >= kSlack) {
      execute_fast(ws.batch, ws.batch + count, out.at, literals.begin);
    } else {
      execute_exact(ws.batch, ws.batch + count, out.at, literals.begin);
    }
    literals.begin += sums.literals;
    out.at = out.begin + sums.produced;
  }
  if (literals.size() > out.room()) return ZstdStatus::output_too_small;
  copy_exact(out.at, literals.begin, literals.size());
  out.at += literals.size();
  return ZstdStatus::ok;
}

ZstdStatus decode_compressed_block(Input in, const uint8_t* src_end, Output& out,
                                   ZstdWorkspace& ws) {
  uint8_t* const block_start = out.at;
  Input literals;
  ZstdStatus status = read_literals(in, src_end, ws, &literals);
  if (status != ZstdStatus::ok) return status;

  if (in.size() == 0) return ZstdStatus::bad_sequences;
  size_t sequences = *in.begin++;
  if (sequences == 0) {  // literals only
    if (in.size() != 0) return ZstdStatus::bad_sequences;
    if (literals.size() > out.room()) return ZstdStatus::output_too_small;
    copy_exact(out.at, literals.begin, literals.size());
    out.at += literals.size();
    return ZstdStatus::ok;
  }
  if (sequences == 255) {
    if (in.size() < 2) return ZstdStatus::bad_sequences;
    sequences = size_t{load16(in.begin)} + 0x7F00;
    in.begin += 2;
  } else if (sequences >= 128) {
    if (in.size() < 1) return ZstdStatus::bad_sequences;
    sequences = ((sequences - 128) << 8) + *in.begin++;
    if (sequences == 0) return ZstdStatus::bad_block;
  }
  status = decode_sequences(in, literals, out, ws, sequences);
  if (status != ZstdStatus::ok) return status;
  if (static_cast<size_t>(out.at - block_start) > kBlockSize) return ZstdStatus::bad_block;
  return ZstdStatus::ok;
}

// Takes the frame header off the input (3.1.1.1).
ZstdStatus read_frame_header(Input& in, size_t dst_size, bool* has_checksum) {
  if (in.size() < 5) return ZstdStatus::truncated;
  if (load32(in.begin) != 0xFD2FB528) return ZstdStatus::bad_magic;
  const unsigned descriptor = in.begin[4];
  in.begin += 5;
  if ((descriptor & 0x08) != 0) return ZstdStatus::reserved_bits;
  if ((descriptor & 0x03) != 0) return ZstdStatus::unsupported_frame;  // Dictionary_ID_flag
  *has_checksum = (descriptor & 0x04) != 0;
  const bool single_segment = (descriptor & 0x20) != 0;
  if (!single_segment) {
    if (in.size() == 0) return ZstdStatus::truncated;
    if (*in.begin++ >> 3 > 31 - 10) return ZstdStatus::unsupported_frame;  // window exponent
  }
  const unsigned flag = descriptor >> 6;
  if (flag == 0 && !single_segment) return ZstdStatus::ok;  // content size not given
  const size_t width = size_t{1} << flag;
  if (in.size() < width) return ZstdStatus::truncated;
  uint64_t content_size = flag == 1 ? 256 : 0;
  for (size_t i = 0; i < width; ++i) content_size += uint64_t{in.begin[i]} << (8 * i);
  in.begin += width;
  return content_size == dst_size ? ZstdStatus::ok : ZstdStatus::size_mismatch;
}

}  // namespace

ZstdStatus zstd_decode(const uint8_t* src, size_t src_size, uint8_t* dst, size_t dst_size,
                       ZstdWorkspace& workspace) {
  Input in = {src, src + src_size};
  Output out = {dst, dst, dst + dst_size, {1, 4, 8}};
  workspace.have_huffman = false;
  workspace.have_states = false;

  bool has_checksum;
  ZstdStatus status = read_frame_header(in, dst_size, &has_checksum);
  if (status != ZstdStatus::ok) return status;

  for (bool last = false; !last;) {
    if (in.size() < 3) return ZstdStatus::truncated;
    const unsigned header = load16(in.begin) | unsigned{in.begin[2]} << 16;
    in.begin += 3;
    last = (header & 1) != 0;
    const unsigned type = header >> 1 & 3;
    const size_t size = header >> 3;
    if (type == 3) return ZstdStatus::reserved_bits;
    if (size > kBlockSize) return ZstdStatus::bad_block;

    const size_t stored = type == 1 ? 1 : size;
    if (in.size() < stored) return ZstdStatus::truncated;
    const Input block = {in.begin, in.begin + stored};
    in.begin += stored;
    if (type == 2) {
      if (size < 2 || size == kBlockSize) return ZstdStatus::bad_block;
      status = decode_compressed_block(block, in.end, out, workspace);
      if (status != ZstdStatus::ok) return status;
      continue;
    }
    if (size > out.room()) return ZstdStatus::output_too_small;
    if (type == 0) {
      copy_exact(out.at, block.begin, size);
    } else {
      fill_exact(out.at, *block.begin, size);
    }
    out.at += size;
  }

  if (has_checksum) {
    if (in.size() < 4) return ZstdStatus::truncated;
    in.begin += 4;
  }
  if (in.size() != 0) return ZstdStatus::trailing_bytes;
  return out.room() == 0 ? ZstdStatus::ok : ZstdStatus::size_mismatch;
}

}  // namespace whittle::packer
