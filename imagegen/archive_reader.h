// SPDX-License-Identifier: MIT
//
// Tars of unknown origin, compressed or not, entry by entry. Nothing is written anywhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/bytes.h"

namespace whittle::imagegen {

struct ArchiveEntry {
  enum class Type { file, folder, symlink, hard_link, other };
  Type type = Type::other;
  std::string path;    // as it stands in the archive
  std::string target;  // of a link
  std::uint32_t mode = 0;
};

// Gives the next bytes of an archive, at most `buffer`'s size; 0 at the end. May throw.
using ByteSource = std::function<std::size_t(std::span<std::uint8_t> buffer)>;

// Throws Error{corrupt} where the archive is not one or is damaged, and where more than 64 GiB come
// out of it: a small file can be compressed zeroes without end.
class ArchiveReader {
 public:
  ArchiveReader(const std::filesystem::path& path);
  ArchiveReader(ByteSource source, std::string name);  // `name` is for messages
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  std::optional<ArchiveEntry> next();  // passes over what is left of the entry before

  // The next bytes of the entry, 0 at its end. Holes of sparse files are zeroes.
  std::size_t read(std::span<std::uint8_t> buffer);
  // The rest of the entry after what was read. Throws Error{refused} where it is longer.
  Bytes read_rest(std::uint64_t limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whittle::imagegen
