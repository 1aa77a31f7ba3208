// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <zlib.h>

#include <new>
#include <utility>

#include "common/error.h"
#include "imagegen/stream_decoder.h"

namespace whittle::imagegen {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;  // zlib checks CRC and size of each member

class GzipDecoder : public StreamDecoder {
 public:
  GzipDecoder(ByteSource source, std::string name)
      : input_(std::move(source)), name_(std::move(name)) {
    if (::inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~GzipDecoder() override { ::inflateEnd(&stream_); }
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;

  std::size_t read(std::span<std::uint8_t> buffer) override {
    stream_.next_out = buffer.data();
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(buffer.size(), 1 << 30));
    const uInt room = stream_.avail_out;
    while (stream_.avail_out == room && !at_end_) step();
    return room - stream_.avail_out;
  }

 private:
  void step() {
    if (!input_.fill(1)) {
      throw Error(ErrorKind::corrupt, name_, "is cut short: the gzip data has no end",
                  input_.offset());
    }
    const auto bytes = input_.bytes();
    stream_.next_in = bytes.data();
    stream_.avail_in = static_cast<uInt>(bytes.size());
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    input_.drop(bytes.size() - stream_.avail_in);
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result == Z_STREAM_END) return end_member();
    if (result != Z_OK && result != Z_BUF_ERROR) {
      throw Error(ErrorKind::corrupt, name_,
                  fmt::format("has damaged gzip data: {}",
                              stream_.msg != nullptr ? stream_.msg : "it needs a dictionary"),
                  input_.offset());
    }
  }

  void end_member() {
    const bool has_two = input_.fill(2);
    const auto bytes = input_.bytes();
    if (has_two && bytes[0] == 0x1f && bytes[1] == 0x8b) {
      ::inflateReset(&stream_);
      return;
    }
    at_end_ = true;
    const std::uint64_t offset = input_.offset();
    if (const std::uint64_t surplus = input_.drain(); surplus != 0) {
      throw Error(ErrorKind::corrupt, name_,
                  fmt::format("{} bytes follow the end of the compressed data", surplus), offset);
    }
  }

  DecoderInput input_;
  std::string name_;
  z_stream stream_{};
  bool at_end_ = false;
};

}  // namespace

std::unique_ptr<StreamDecoder> make_gzip_decoder(ByteSource source, std::string name) {
  return std::make_unique<GzipDecoder>(std::move(source), std::move(name));
}

}  // namespace whittle::imagegen
