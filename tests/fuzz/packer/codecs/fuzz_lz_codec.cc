// SPDX-License-Identifier: MIT
//
// The codec of folded stubs gives back arbitrary bytes. Its decoder never sees anything but what
// its encoder wrote.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "packer/codecs/lz_encoder.h"
#include "packer/stub/codecs/lz_decoder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 1024) return 0;
  const whittle::ByteView raw{data + 1, size - 1};
  const std::size_t known = raw.size() * data[0] / 256;
  const std::uint32_t unit = 1U << data[0] % 3;
  const whittle::Bytes packed = whittle::packer::lz_encode(raw, known, unit);
  std::vector<std::uint8_t> again(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(known));
  again.resize(raw.size());
  whittle::stub::lz_decode(packed.data(), again.data() + known, again.data() + again.size(), unit);
  if (!std::equal(again.begin(), again.end(), raw.begin())) __builtin_trap();
  return 0;
}
