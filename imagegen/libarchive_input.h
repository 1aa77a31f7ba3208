// SPDX-License-Identifier: MIT
//
// Input of libarchive from a ByteSource. Exceptions of the source must not cross libarchive's C
// frames, so they are kept and thrown again; every failure becomes an Error.
#pragma once

#include <archive.h>

#include <array>
#include <exception>
#include <string>

#include "imagegen/byte_source.h"

namespace whittle::imagegen {

inline constexpr std::size_t kInputBlock = 1 << 16;  // bytes

class LibarchiveInput {
 public:
  LibarchiveInput(ByteSource source, ByteSkip skip, std::string name);
  ~LibarchiveInput();
  LibarchiveInput(const LibarchiveInput&) = delete;
  LibarchiveInput& operator=(const LibarchiveInput&) = delete;

  archive* handle() const { return reader_; }
  const std::string& name() const { return name_; }

  void open();  // formats and filters have to be set
  // Throws unless the result is success, be it with a warning.
  void check(int result) const;
  [[noreturn]] void fail() const;

  // Reads the rest of the source, after libarchive has reached its end. Returns the number of bytes
  // that libarchive did not consume.
  std::uint64_t drain();
  std::uint64_t consumed() const;  // bytes of the source, by libarchive
  // The offset after the last byte that was read and is not zero.
  std::uint64_t content_end() const { return content_end_; }

 private:
  static la_ssize_t on_read(archive* reader, void* self, const void** data);
  static la_int64_t on_skip(archive* reader, void* self, la_int64_t bytes);
  std::size_t fill();

  ByteSource source_;
  ByteSkip skip_;
  std::string name_;
  archive* reader_;
  std::exception_ptr failure_;
  std::array<std::uint8_t, kInputBlock> buffer_{};
  std::uint64_t given_ = 0, content_end_ = 0;
};

}  // namespace whittle::imagegen
