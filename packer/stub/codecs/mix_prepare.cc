// SPDX-License-Identifier: MIT
//
// The models of the codec before the first symbol, and the table by which it walks over x86-64
// code. Once a stream, so compiled to be small.
#include "packer/stub/codecs/mix_model.h"

namespace whittle::stub {

void prepare(MixWorkspace& w, const MixHeader& header) {
#if !defined(WHITTLE_STUB) || defined(__x86_64__)  // a stub decodes code of its own machine alone
  for (uint32_t field = 0; field <= kAsking && header.model == kModelX86; field++) {
    for (uint32_t b = 0; b < 256; b++) {
      w.x86.asks[field][b] = x86_asks(field, b);
    }
  }
#endif
  for (uint32_t byte = 0; byte < 8; byte++) {
    for (uint32_t k = 0; k < 4; k++) {
      reinterpret_cast<uint8_t*>(&w.bits.general[k])[byte] = -(header.general >> byte & 1U);
      reinterpret_cast<uint8_t*>(&w.bits.specific[k])[byte] = -(header.specific >> byte & 1U);
    }
  }
#if !defined(WHITTLE_STUB) || defined(__aarch64__)
  if (header.model == kModelAarch64) w.bits = kAarch64Bits;
#endif
  for (uint32_t n = 0; n <= kCountMask; n++) {
    const uint32_t rate = n == 0 ? 32767 : 131072 / (2 * n + 3);
    for (uint16_t& lane : w.steps.rate[n]) lane = static_cast<uint16_t>(rate);
  }
  w.general_weight = header.model == kModelBytes ? kGeneralInBytes : kGeneralInCode;
  Distribution even{};
  for (uint32_t s = 0; s < 16; s++) {
    even.lane[s] = static_cast<uint16_t>(s * (kFull / 16));
    for (uint32_t k = 0; k < 16; k++) w.steps.target[s].lane[k] = k > s ? kFull : 0;
  }
  const uint32_t places = 1U << header.table_bits;
  w.specific_mask = places - 1;
  w.general_mask = 2 * places - 1;
  __builtin_memset(w.specific, 0, places * sizeof(Distribution));
  __builtin_memset(w.general, 0, 2 * places * sizeof(Distribution));
  auto* const models =
      reinterpret_cast<Distribution*>(reinterpret_cast<char*>(&w) + offsetof(MixWorkspace, field));
  for (uint32_t m = 0; m < kDirectModels; m++) models[m] = even;
  for (Distribution& m : w.field) m.lane[0] = kFieldCount;
}

}  // namespace whittle::stub
