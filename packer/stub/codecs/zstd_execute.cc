// SPDX-License-Identifier: MIT
//
// How a batch of sequences becomes bytes.
//
// Copies are short and nobody can predict their lengths, so what costs is the wrongly predicted
// branch and not the byte. The fast loop therefore copies in steps of 16 bytes, which may write up
// to kSlack bytes too far; what comes next overwrites them. Near the end of the destination that is
// forbidden. A batch's sums are known before anything is copied, so one comparison per batch
// decides between the fast loop and the exact one, where the usual decoder compares for every
// sequence.
//
// Repeat offsets are resolved by conditional moves in a loop of their own, which is also where the
// sums and every offset's check come from: afterwards the copying loops need none.
#include "packer/stub/codecs/zstd_execute.h"

namespace whittle::stub {
namespace {

// The same value, but the compiler does not know: it cannot relate two conditions and make one
// branch of them.
inline uint32_t opaque(uint32_t value) {
  asm("" : "+r"(value));
  return value;
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

}  // namespace

ZstdStatus execute_sequences(ZstdSequence* sequences, size_t count, Input& literals, Output& out) {
  ZstdSequence* const end = sequences + count;
  const size_t dst_size = static_cast<size_t>(out.end - out.begin);
  Sums sums;
  const ZstdStatus status =
      resolve_offsets(sequences, end, out.repeat, static_cast<size_t>(out.at - out.begin), &sums);
  if (status != ZstdStatus::ok) return status;
  if (sums.literals > literals.size()) return ZstdStatus::bad_sequences;
  if (sums.produced > dst_size) return ZstdStatus::output_too_small;
  if (dst_size - sums.produced >= ZstdWorkspace::kSlack) {
    execute_fast(sequences, end, out.at, literals.begin);
  } else {
    execute_exact(sequences, end, out.at, literals.begin);
  }
  literals.begin += sums.literals;
  out.at = out.begin + sums.produced;
  return ZstdStatus::ok;
}

}  // namespace whittle::stub
