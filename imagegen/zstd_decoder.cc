// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <new>
#include <utility>

#include "common/error.h"
#include "imagegen/stream_decoder.h"

namespace whittle::imagegen {
namespace {

class ZstdDecoder : public StreamDecoder {
 public:
  ZstdDecoder(ByteSource source, std::string name)
      : input_(std::move(source)), name_(std::move(name)), stream_(::ZSTD_createDStream()) {
    if (stream_ == nullptr) throw std::bad_alloc();
  }
  ~ZstdDecoder() override { ::ZSTD_freeDStream(stream_); }
  ZstdDecoder(const ZstdDecoder&) = delete;
  ZstdDecoder& operator=(const ZstdDecoder&) = delete;

  std::size_t read(std::span<std::uint8_t> buffer) override {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (out.pos == 0 && !at_end_) step(out);
    return out.pos;
  }

 private:
  void step(ZSTD_outBuffer& out) {
    const bool has_input = input_.fill(1);
    if (!has_input && between_frames_) {
      at_end_ = true;
      return;
    }
    const auto bytes = input_.bytes();
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    const std::size_t result = ::ZSTD_decompressStream(stream_, &out, &in);
    if (::ZSTD_isError(result)) fail(::ZSTD_getErrorCode(result));
    input_.drop(in.pos);
    // Without input there may still be output of bytes that were taken before.
    if (!has_input && out.pos == 0 && result != 0) {
      throw Error(ErrorKind::corrupt, name_, "is cut short: the zstd data has no end",
                  input_.offset());
    }
    between_frames_ = result == 0;
  }

  [[noreturn]] void fail(ZSTD_ErrorCode code) {
    if (code == ZSTD_error_memory_allocation) throw std::bad_alloc();
    if (code == ZSTD_error_frameParameter_windowTooLarge) {
      throw Error(ErrorKind::refused, name_, "has zstd data with a window of more than 128 MiB",
                  input_.offset());
    }
    const std::uint64_t offset = input_.offset();
    if (code == ZSTD_error_prefix_unknown && between_frames_) {
      throw Error(ErrorKind::corrupt, name_,
                  fmt::format("{} bytes follow the end of the compressed data", input_.drain()),
                  offset);
    }
    throw Error(ErrorKind::corrupt, name_,
                fmt::format("has damaged zstd data: {}", ::ZSTD_getErrorString(code)), offset);
  }

  DecoderInput input_;
  std::string name_;
  ZSTD_DStream* stream_;
  bool between_frames_ = false, at_end_ = false;
};

}  // namespace

std::unique_ptr<StreamDecoder> make_zstd_decoder(ByteSource source, std::string name) {
  return std::make_unique<ZstdDecoder>(std::move(source), std::move(name));
}

}  // namespace whittle::imagegen
