// SPDX-License-Identifier: MIT
#include "imagegen/byte_source.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "common/error.h"
#include "common/file.h"

namespace whittle::imagegen {

FileSource::FileSource(const std::filesystem::path& path) : path_(path.native()) {
  OpenedFile file = open_file(path, UINT64_MAX);
  descriptor_ = std::move(file.descriptor);
  size_ = file.status.size;
}

std::size_t FileSource::read(std::span<std::uint8_t> buffer) {
  const std::uint64_t left =
      size_ - std::min(at_, size_);  // what is appended meanwhile is not read
  for (;;) {
    const ssize_t n =
        ::pread(descriptor_.get(), buffer.data(), std::min<std::uint64_t>(buffer.size(), left),
                static_cast<off_t>(at_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw io_error(path_, "cannot read", errno);
    at_ += static_cast<std::uint64_t>(n);
    return static_cast<std::size_t>(n);
  }
}

std::uint64_t FileSource::skip(std::uint64_t bytes) {
  const std::uint64_t passed = std::min(bytes, size_ - std::min(at_, size_));
  at_ += passed;
  return passed;
}

std::size_t HashedSource::read(std::span<std::uint8_t> buffer) {
  const std::size_t n = source_(buffer);
  digest_.update(ByteView(buffer.data(), n));
  size_ += n;
  return n;
}

std::string HashedSource::finish() {
  std::array<std::uint8_t, 1 << 16> buffer;
  while (read(buffer) != 0) {
  }
  return "sha256:" + to_hex(digest_.finish());
}

}  // namespace whittle::imagegen
