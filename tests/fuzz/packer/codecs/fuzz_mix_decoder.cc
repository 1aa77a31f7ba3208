// SPDX-License-Identifier: MIT
//
// The context-mixing decoder, on packed streams as hostile as can be: the first byte of the input
// gives the size of the destination, in units of 256 bytes, and the rest is the stream. Any status
// will do; AddressSanitizer watches the accesses. Source and destination are heap blocks of the
// exact size.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "packer/stub/codecs/mix_decoder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const auto workspace = std::make_unique<whittle::stub::MixWorkspace>();
  const std::unique_ptr<std::uint8_t[]> packed(new std::uint8_t[size - 1]);
  std::memcpy(packed.get(), data + 1, size - 1);
  const std::size_t output_size = std::size_t{data[0]} * 256;
  const std::unique_ptr<std::uint8_t[]> output(new std::uint8_t[output_size]);
  (void)whittle::stub::mix_decode(packed.get(), size - 1, output.get(), output_size, *workspace);
  return 0;
}
