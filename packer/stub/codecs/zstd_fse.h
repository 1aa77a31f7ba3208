// SPDX-License-Identifier: MIT
//
// Finite state entropy tables (4.1): the code for symbols whose probabilities are no powers of two.
//
// A Huffman code spends whole bits, so a symbol that is there nine times of ten costs one bit where
// a sixth would do. FSE, an asymmetric numeral system made of tables, spends fractions. There are
// 2^log *states*, each standing for one symbol; a symbol owns as many of them as its probability
// asks for. To decode is to look up the state's symbol, then to read the few bits that choose the
// next state: fewer for a symbol that owns many states, often none. What is owed of a bit is kept
// in the choice of the state.
//
// What the format stores is the number of states of each symbol (*counts*, in a code of their own).
// How states are dealt out to symbols, and which next states each reaches, follows from the counts
// by rule. So decoding takes two steps: read the counts, or know them as the predefined ones, and
// build the states.
//
// An entry has room for more than FSE itself needs: a table for sequences holds all that a state
// means in the same eight bytes, value and extra bits (see zstd_sequences.cc). A second table from
// symbol to value would cost another load for each field.
#pragma once

#include "packer/stub/codecs/zstd_bits.h"
#include "packer/stub/codecs/zstd_decoder.h"

namespace whittle::stub {

// Reads a table description (4.1.1) off the input: fills `counts` for symbols 0..*symbols-1, of
// which there may be `max_symbols`, and the accuracy log, at most `max_log`. A count of -1 stands
// for "less than one". False if the description is cut off or names more than allowed.
bool read_fse_counts(Input& in, int max_log, unsigned max_symbols, int16_t* counts,
                     unsigned* symbols, int* log);

// Spreads the symbols over the 2^log states and links the states. `base` of each entry is the
// symbol afterwards, `extra_bits` is left alone. The counts must add up to 2^log; they are used up.
void build_fse_states(ZstdFseEntry* table, int log, int16_t* counts, unsigned symbols);

}  // namespace whittle::stub
