// SPDX-License-Identifier: MIT
//
// The stub's decoder against libzstd. The first byte of the input chooses one of two games:
//
// - Odd: the rest is a frame, as hostile as can be. What we accept, libzstd must accept with the
// same bytes.
//   What libzstd accepts, we must accept, unless the status is one whose documentation says that we
//   are stricter or do less.
// - Even: the rest is content, and the first byte also chooses the encoder's settings. We must give
// it back.
//
// Source and destination are heap blocks of the exact size, so AddressSanitizer sees one byte too
// far.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "packer/stub/codecs/zstd_decoder.h"

namespace {

using whittle::stub::ZstdStatus;

using Buffer = std::unique_ptr<uint8_t[]>;

[[noreturn]] void fail(const char* what, ZstdStatus status) {
  std::fprintf(stderr, "%s; status %d\n", what, static_cast<int>(status));
  std::abort();
}

ZstdStatus decode(const uint8_t* data, size_t size, uint8_t* output, size_t output_size) {
  static const auto workspace = std::make_unique<whittle::stub::ZstdWorkspace>();
  const Buffer frame(new uint8_t[size]);
  if (size != 0) std::memcpy(frame.get(), data, size);
  return whittle::stub::zstd_decode(frame.get(), size, output, output_size, *workspace);
}

bool stricter_than_libzstd(ZstdStatus status) {
  switch (status) {
    case ZstdStatus::unsupported_frame:  // dictionary identifier zero
    case ZstdStatus::reserved_bits:
    case ZstdStatus::bad_block:  // regenerates more than 128 KiB
    case ZstdStatus::long_huffman_code:
    case ZstdStatus::bad_bitstream:
    case ZstdStatus::zero_offset:
      return true;
    default:
      return false;
  }
}

void compare(const uint8_t* data, size_t size) {
  static ZSTD_DCtx* const context = ZSTD_createDCtx();
  constexpr size_t kRoom = 300000;
  static const Buffer expected(new uint8_t[kRoom]);
  ZSTD_DCtx_setParameter(context, ZSTD_d_forceIgnoreChecksum, ZSTD_d_ignoreChecksum);
  // libzstd may have been built with the formats before version 0.8, and skips skippable frames.
  const uint8_t magic[4] = {0x28, 0xB5, 0x2F, 0xFD};
  const bool one_frame = size >= 4 && std::memcmp(data, magic, 4) == 0 &&
                         ZSTD_findFrameCompressedSize(data, size) == size;
  const size_t expected_size = ZSTD_decompressDCtx(context, expected.get(), kRoom, data, size);
  const bool expected_good = one_frame && !ZSTD_isError(expected_size);

  // Where libzstd refuses, any destination will do; the size claimed by the header gets furthest.
  const unsigned long long claimed = ZSTD_getFrameContentSize(data, size);
  const size_t output_size = expected_good ? expected_size : claimed <= kRoom ? claimed : 1000;
  const Buffer output(new uint8_t[output_size]);
  const ZstdStatus status = decode(data, size, output.get(), output_size);
  if (status == ZstdStatus::ok) {
    if (!expected_good) fail("accepted what libzstd refuses", status);
    if (std::memcmp(output.get(), expected.get(), output_size) != 0)
      fail("other bytes than libzstd", status);
  } else if (expected_good && !stricter_than_libzstd(status)) {
    fail("refused what libzstd accepts", status);
  }
}

void round_trip(unsigned settings, const uint8_t* data, size_t size) {
  static ZSTD_CCtx* const context = ZSTD_createCCtx();
  static const int kLevels[] = {-20, -1, 1, 2, 3, 4, 5, 7, 9, 12, 14, 16, 18, 19, 20, 22};
  ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kLevels[settings & 15]);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, (settings & 16) != 0);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, (settings & 32) != 0);
  const size_t bound = ZSTD_compressBound(size);
  const Buffer frame(new uint8_t[bound]);
  const size_t frame_size = ZSTD_compress2(context, frame.get(), bound, data, size);
  if (ZSTD_isError(frame_size)) std::abort();
  const Buffer output(new uint8_t[size]);
  const ZstdStatus status = decode(frame.get(), frame_size, output.get(), size);
  if (status != ZstdStatus::ok) fail("refused what libzstd encoded", status);
  if (size != 0 && std::memcmp(output.get(), data, size) != 0)
    fail("other bytes than encoded", status);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  if ((data[0] & 1) != 0) {
    compare(data + 1, size - 1);
  } else {
    round_trip(data[0] >> 1, data + 1, size - 1);
  }
  return 0;
}
