// SPDX-License-Identifier: MIT
//
// Tars of unknown origin, entry by entry. Nothing is written anywhere.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/bytes.h"
#include "imagegen/byte_source.h"

namespace whittle::imagegen {

struct ArchiveEntry {
  enum class Type { file, folder, symlink, hard_link, other };
  Type type = Type::other;
  std::string path;        // as written in the archive
  std::string target;      // of a link
  std::uint32_t mode = 0;  // permission bits
  std::uint64_t owner = 0, group = 0;
  std::uint64_t size = 0;  // bytes, as announced; of a sparse file its holes are counted
  bool is_sparse = false;
  std::uint64_t position = 0;  // of its header in the archive; a reader may begin there
};

// Every call throws Error{corrupt} where the archive is not one or is damaged, and what the source
// throws.
class ArchiveReader {
 public:
  // `name` is for messages. With a `skip`, contents that are not asked for are not read.
  ArchiveReader(ByteSource source, std::string name, ByteSkip skip = {});
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  // Skips the rest of the previous entry. At the end of the archive the source is read to its own
  // end, and only zeroes may follow: readers disagree about data after the end of an archive.
  std::optional<ArchiveEntry> next();

  // The next bytes of the entry, 0 at its end. Holes of sparse files are zeroes.
  std::size_t read(std::span<std::uint8_t> buffer);
  // Appends the next bytes of the entry, as many as there are until `out` has `most` of them.
  void read_up_to(std::uint64_t most, Bytes& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whittle::imagegen
