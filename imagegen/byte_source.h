// SPDX-License-Identifier: MIT
//
// Bytes in pieces: from a file, from an entry of an archive, or from a decompressor. Images are
// hashed while they are read, so a digest is that of exactly the bytes that were examined.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "common/bytes.h"
#include "common/digest.h"
#include "common/file_descriptor.h"

namespace whittle::imagegen {

// Gives the next bytes, at most `buffer`'s size; 0 at the end, and at every later call. May throw.
using ByteSource = std::function<std::size_t(std::span<std::uint8_t> buffer)>;
// Skips at most that many bytes and returns how many it skipped. May throw.
using ByteSkip = std::function<std::uint64_t(std::uint64_t bytes)>;

// A regular file. Throws as open_file does, and Error{io} where it cannot be read.
class FileSource {
 public:
  explicit FileSource(const std::filesystem::path& path);

  std::uint64_t size() const { return size_; }  // bytes, when it was opened
  std::size_t read(std::span<std::uint8_t> buffer);
  std::uint64_t skip(std::uint64_t bytes);  // never beyond the end

 private:
  std::string path_;
  FileDescriptor descriptor_;
  std::uint64_t size_ = 0, at_ = 0;
};

// Counts and hashes what comes out of another source.
class HashedSource {
 public:
  explicit HashedSource(ByteSource source) : source_(std::move(source)) {}

  std::size_t read(std::span<std::uint8_t> buffer);
  std::uint64_t size() const { return size_; }  // bytes, up to here
  // Reads what is left. "sha256:…", of all the bytes; call it once.
  std::string finish();

 private:
  ByteSource source_;
  Sha256 digest_;
  std::uint64_t size_ = 0;
};

}  // namespace whittle::imagegen
