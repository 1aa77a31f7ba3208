// SPDX-License-Identifier: MIT
//
// The two things that libarchive does here, as streams: write a tar, and compress bytes. Both give
// their output, piece by piece, to a function.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/bytes.h"
#include "imagegen/image.h"

struct archive_entry;

namespace whittle::imagegen {

// May throw; the exception comes out of the call that produced the bytes.
using ByteSink = std::function<void(ByteView)>;

struct ArchiveHandle;

// A tar without names of owners, with one time for every entry and no padding after the end: the
// same entries give the same bytes. Paths are UTF-8, relative, and normalised.
class TarWriter {
 public:
  TarWriter(ByteSink sink, std::int64_t mtime);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  void add_folder(const std::string& path, std::uint32_t mode, const Owner& owner = {});
  void add_file(const std::string& path, ByteView content, std::uint32_t mode,
                const Owner& owner = {});
  void add_link(const std::string& path, const std::string& target, const Owner& owner = {});
  void finish();  // a tar that is not finished lacks its end

 private:
  void add_entry(archive_entry* entry, ByteView content);

  std::unique_ptr<ArchiveHandle> handle_;
  std::int64_t mtime_;
};

// gzip at level 9 without time and name, or one zstd frame at level 19.
class Compressor {
 public:
  Compressor(ByteSink sink, Compression compression);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  void write(ByteView bytes);
  void finish();

 private:
  std::unique_ptr<ArchiveHandle> handle_;
};

}  // namespace whittle::imagegen
