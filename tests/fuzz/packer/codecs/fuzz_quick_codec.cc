// SPDX-License-Identifier: MIT
//
// Codec quick gives back arbitrary bytes.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "packer/codecs/quick_encoder.h"
#include "packer/stub/codecs/quick_decoder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto workspace = std::make_unique<whittle::stub::QuickWorkspace>();
  const whittle::ByteView content(data, size);
  const whittle::Bytes packed = whittle::packer::quick_encode(content);
  const std::unique_ptr<std::uint8_t[]> output(new std::uint8_t[size]);
  if (!whittle::stub::quick_decode(packed.data(), packed.size(), output.get(), size, *workspace) ||
      (size != 0 && std::memcmp(output.get(), data, size) != 0)) {
    std::fprintf(stderr, "other bytes than encoded\n");
    std::abort();
  }
  return 0;
}
