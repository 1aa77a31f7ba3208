// SPDX-License-Identifier: MIT
//
// The context-mixing codec gives back arbitrary bytes, by each model: the first byte of the input
// chooses it, the rest is content.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "packer/codecs/mix_encoder.h"
#include "packer/stub/codecs/mix_decoder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const auto workspace = std::make_unique<whittle::stub::MixWorkspace>();
  const auto model = static_cast<whittle::stub::ModelKind>(data[0] % whittle::stub::kModelKinds);
  const whittle::ByteView content(data + 1, size - 1);
  const whittle::Bytes packed = whittle::packer::mix_encode(content, model);
  const std::unique_ptr<std::uint8_t[]> output(new std::uint8_t[content.size()]);
  const auto status = whittle::stub::mix_decode(packed.data(), packed.size(), output.get(),
                                                content.size(), *workspace);
  if (status != whittle::stub::MixStatus::ok ||
      std::memcmp(output.get(), content.data(), content.size()) != 0) {
    std::fprintf(stderr, "other bytes than encoded; status %d\n", static_cast<int>(status));
    std::abort();
  }
  return 0;
}
