// SPDX-License-Identifier: MIT
#include "packer/codecs/zstd_encoder.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

#include "common/error.h"

namespace whittle::packer {
namespace {

// Levels of libzstd's: its last one, and the one that it takes where nobody asks for another.
constexpr int kStrongest = 22;
constexpr int kQuick = 3;
constexpr std::size_t kStep = std::size_t{256} << 10;  // bytes between two reports of progress

std::size_t require(std::size_t result) {
  if (ZSTD_isError(result)) {
    throw Error(ErrorKind::internal, "",
                fmt::format("zstd could not compress: {}", ZSTD_getErrorName(result)));
  }
  return result;
}

Bytes encode(ByteView raw, int level, std::atomic<std::uint64_t>* done) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     ZSTD_freeCCtx);
  if (!context) throw std::bad_alloc();
  require(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level));
  require(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 0));
  require(ZSTD_CCtx_setPledgedSrcSize(context.get(), raw.size()));
  Bytes packed(ZSTD_compressBound(raw.size()));
  ZSTD_outBuffer out{packed.data(), packed.size(), 0};
  for (std::size_t at = 0; at < raw.size() || raw.empty();) {
    const std::size_t step = std::min(kStep, raw.size() - at);
    ZSTD_inBuffer in{raw.data() + at, step, 0};
    const bool last = at + step == raw.size();
    const std::size_t left = require(
        ZSTD_compressStream2(context.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue));
    if (in.pos != step || (last && left != 0)) {
      throw Error(ErrorKind::internal, "", "zstd did not take its whole input");
    }
    at += step;
    if (done != nullptr) done->fetch_add(step, std::memory_order_relaxed);
    if (last) break;
  }
  packed.resize(out.pos);
  return packed;
}

}  // namespace

Bytes zstd_encode(ByteView raw, std::atomic<std::uint64_t>* done) {
  return encode(raw, kStrongest, done);
}

std::uint64_t zstd_estimate(ByteView raw) { return encode(raw, kQuick, nullptr).size(); }

}  // namespace whittle::packer
