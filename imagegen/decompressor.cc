// SPDX-License-Identifier: MIT
//
// gzip and zstd, which layers of images have, are decoded by their own libraries
// (stream_decoder.h). xz and bzip2 are rare, and libarchive's filters do for them. They stop after
// the last stream that they recognise and do not report the bytes after it, which other readers
// refuse or unpack; so the end counts what is left. The filter is chosen here: libarchive's own
// choice would also undo a compressed stream inside a compressed one, which no engine does.
#include "imagegen/decompressor.h"

#include <archive.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "common/error.h"
#include "imagegen/libarchive_input.h"
#include "imagegen/stream_decoder.h"

namespace whittle::imagegen {
namespace {

struct Magic {
  std::string_view bytes;
  int filter;
};
constexpr Magic kMagics[] = {{"\x1f\x8b", ARCHIVE_FILTER_GZIP},
                             {"\x28\xb5\x2f\xfd", ARCHIVE_FILTER_ZSTD},
                             {{"\xfd"
                               "7zXZ\0",
                               6},
                              ARCHIVE_FILTER_XZ},
                             {"BZh", ARCHIVE_FILTER_BZIP2}};
constexpr std::size_t kLongestMagic = 6;

std::optional<int> filter_of(ByteView start) {
  // Skippable frames of zstd have sixteen magics (RFC 8878, 3.1.2).
  const bool is_long = start.size() >= 4;
  if (is_long && (start[0] & 0xf0) == 0x50 && as_text(start).substr(1, 3) == "\x2a\x4d\x18") {
    return ARCHIVE_FILTER_ZSTD;
  }
  for (const Magic& magic : kMagics) {
    if (as_text(start).starts_with(magic.bytes)) return magic.filter;
  }
  return std::nullopt;
}

}  // namespace

bool is_compressed(ByteView start) { return filter_of(start).has_value(); }

struct Decompressor::Impl {
  Impl(ByteSource from, std::string named, std::uint64_t most)
      : source(std::move(from)), name(std::move(named)), limit(most) {
    start.resize(kLongestMagic);
    std::size_t have = 0;
    while (const std::size_t n = source(std::span(start).subspan(have))) have += n;
    start.resize(have);
    const auto filter = filter_of(start);
    if (!filter) return;
    const ByteSource raw = [this](std::span<std::uint8_t> buffer) { return read_raw(buffer); };
    if (*filter == ARCHIVE_FILTER_GZIP) decoder = make_gzip_decoder(raw, name);
    if (*filter == ARCHIVE_FILTER_ZSTD) decoder = make_zstd_decoder(raw, name);
    if (decoder) return;
    input = std::make_unique<LibarchiveInput>(raw, ByteSkip(), name);
    // Not the format "empty": it would also take a stream that is cut short for one without data.
    ::archive_read_support_format_raw(input->handle());
    input->check(::archive_read_append_filter(input->handle(), *filter));
    input->open();
    archive_entry* entry = nullptr;
    if (::archive_read_next_header(input->handle(), &entry) != ARCHIVE_OK) input->fail();
  }

  // The source, beginning with the bytes that were read to recognise the compression.
  std::size_t read_raw(std::span<std::uint8_t> buffer) {
    if (returned == start.size()) return source(buffer);
    const std::size_t n = std::min(buffer.size(), start.size() - returned);
    std::copy_n(start.begin() + static_cast<std::ptrdiff_t>(returned), n, buffer.begin());
    returned += n;
    return n;
  }

  std::size_t read(std::span<std::uint8_t> buffer) {
    if (at_end || buffer.empty()) return 0;
    std::size_t n = 0;
    if (decoder) {
      n = decoder->read(buffer);
    } else if (input) {
      const la_ssize_t result = ::archive_read_data(input->handle(), buffer.data(), buffer.size());
      if (result < 0) input->fail();
      n = static_cast<std::size_t>(result);
    } else {
      n = read_raw(buffer);
    }
    if (n == 0) {
      at_end = true;
      if (input) check_end();
    }
    given += n;
    if (given > limit) {
      throw Error(ErrorKind::refused, name,
                  fmt::format("unpacks to more than {} bytes, which is more than is looked at of a "
                              "file of its size",
                              limit));
    }
    return n;
  }

  void check_end() {
    const std::uint64_t surplus = input->drain();
    if (surplus == 0) return;
    throw Error(ErrorKind::corrupt, name,
                fmt::format("{} bytes follow the end of the compressed data", surplus),
                input->consumed());
  }

  ByteSource source;
  std::string name;
  std::uint64_t limit, given = 0;
  Bytes start;
  std::size_t returned = 0;  // bytes of `start`
  bool at_end = false;
  // Both null where nothing is compressed.
  std::unique_ptr<StreamDecoder> decoder;
  std::unique_ptr<LibarchiveInput> input;
};

Decompressor::Decompressor(ByteSource source, std::string name, std::uint64_t limit)
    : impl_(std::make_unique<Impl>(std::move(source), std::move(name), limit)) {}

Decompressor::~Decompressor() = default;

std::size_t Decompressor::read(std::span<std::uint8_t> buffer) { return impl_->read(buffer); }

}  // namespace whittle::imagegen
