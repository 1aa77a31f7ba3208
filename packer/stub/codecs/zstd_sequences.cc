// SPDX-License-Identifier: MIT
//
// Sequences: three interleaved FSE state machines on one bitstream.
//
// Each field of a sequence is a *code* and extra bits. The code, a symbol of the field's machine,
// says where a range of values starts and how many extra bits choose within it. Tables hold the
// start of the range in the state's entry, next to what leads to the next state: a field costs one
// load.
//
// Sequences are decoded in batches to a small array, and executed in a second loop. The usual fused
// loop pays for each wrongly predicted copy length with the latency of the state machines as well.
// Apart, each loop fits the registers; the price is 3 KiB of traffic in the first-level cache.
#include "packer/stub/codecs/zstd_sequences.h"

#include "packer/stub/codecs/zstd_execute.h"
#include "packer/stub/codecs/zstd_fse.h"

namespace whittle::stub {
namespace {

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
    } else if (!read_fse_counts(in, kMaxLog[field], codes, ws.counts, &symbols, &log)) {
      return false;
    }
    build_fse_states(table, log, ws.counts, symbols);
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

// The three state machines of a block's sequences, and the bits that drive them.
struct SequenceDecoder {
  BitReader bits;
  uint64_t state[3];  // by field
};

// Decodes `count` sequences to ws.batch, with offsets as coded (see execute_sequences). `last` says
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

// Takes Number_of_Sequences off the section (3.1.1.3.2.1).
ZstdStatus read_sequence_count(Input& in, size_t* count) {
  if (in.size() == 0) return ZstdStatus::bad_sequences;
  *count = *in.begin++;
  if (*count < 128) return ZstdStatus::ok;
  if (*count == 255) {
    if (in.size() < 2) return ZstdStatus::bad_sequences;
    *count = size_t{load16(in.begin)} + 0x7F00;
    in.begin += 2;
    return ZstdStatus::ok;
  }
  if (in.size() < 1) return ZstdStatus::bad_sequences;
  *count = ((*count - 128) << 8) + *in.begin++;
  return *count == 0 ? ZstdStatus::bad_block : ZstdStatus::ok;
}

// Decodes and executes `count` sequences, at least one. `in` has the tables and the bits, and
// `literals` is left with what no sequence used.
ZstdStatus decode_batches(Input in, size_t count, Input& literals, Output& out, ZstdWorkspace& ws) {
  // Symbol_Compression_Modes: two bits a field, the lowest two reserved.
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
  while (count != 0) {
    const size_t batch = count < ZstdWorkspace::kBatch ? count : ZstdWorkspace::kBatch;
    count -= batch;
    ZstdStatus status = decode_batch(decoder, ws, batch, count == 0);
    if (status != ZstdStatus::ok) return status;
    status = execute_sequences(ws.batch, batch, literals, out);
    if (status != ZstdStatus::ok) return status;
  }
  return ZstdStatus::ok;
}

}  // namespace

ZstdStatus decode_sequences(Input in, Input literals, Output& out, ZstdWorkspace& ws) {
  size_t count;
  ZstdStatus status = read_sequence_count(in, &count);
  if (status != ZstdStatus::ok) return status;
  if (count != 0) {
    status = decode_batches(in, count, literals, out, ws);
    if (status != ZstdStatus::ok) return status;
  } else if (in.size() != 0) {
    return ZstdStatus::bad_sequences;
  }
  if (literals.size() > out.room()) return ZstdStatus::output_too_small;
  copy_exact(out.at, literals.begin, literals.size());
  out.at += literals.size();
  return ZstdStatus::ok;
}

}  // namespace whittle::stub
