// SPDX-License-Identifier: MIT
//
// The context-mixing decoder. The first byte of the input chooses one of two games:
//
// - Odd: the rest is a packed stream, as hostile as can be, for a destination whose size the second
//   byte gives. Any status will do; AddressSanitizer watches the accesses.
// - Even: the rest is content, and the first byte also chooses the model. We must give it back.
//
// Source and destination are heap blocks of the exact size.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "packer/mix_encoder.h"
#include "packer/stub/mix_decoder.h"

namespace {

using whittle::stub::MixStatus;

MixStatus decode(const uint8_t* data, size_t size, uint8_t* output, size_t output_size) {
  static const auto workspace = std::make_unique<whittle::stub::MixWorkspace>();
  const std::unique_ptr<uint8_t[]> packed(new uint8_t[size]);
  if (size != 0) std::memcpy(packed.get(), data, size);
  return whittle::stub::mix_decode(packed.get(), size, output, output_size, *workspace);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  if ((data[0] & 1) != 0) {
    const size_t output_size = size_t{data[1]} * 256;
    const std::unique_ptr<uint8_t[]> output(new uint8_t[output_size]);
    (void)decode(data + 2, size - 2, output.get(), output_size);
    return 0;
  }
  const auto model =
      static_cast<whittle::stub::ModelKind>(data[0] / 2 % whittle::stub::kModelKinds);
  const whittle::ByteView content(data + 1, size - 1);
  const whittle::Bytes packed = whittle::packer::mix_encode(content, model);
  const std::unique_ptr<uint8_t[]> output(new uint8_t[content.size()]);
  const MixStatus status = decode(packed.data(), packed.size(), output.get(), content.size());
  if (status != MixStatus::ok || std::memcmp(output.get(), content.data(), content.size()) != 0) {
    std::fprintf(stderr, "other bytes than encoded; status %d\n", static_cast<int>(status));
    std::abort();
  }
  return 0;
}
