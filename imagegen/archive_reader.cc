// SPDX-License-Identifier: MIT
#include "imagegen/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/error.h"
#include "imagegen/libarchive_input.h"

namespace whittle::imagegen {
namespace {

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

std::uint64_t not_negative(la_int64_t number) {
  return static_cast<std::uint64_t>(std::max<la_int64_t>(number, 0));
}

}  // namespace

struct ArchiveReader::Impl {
  Impl(ByteSource source, std::string name, ByteSkip skip)
      : input(std::move(source), std::move(skip), std::move(name)) {
    // No filters, of which some start programs; no formats but tar.
    ::archive_read_support_format_tar(input.handle());
    ::archive_read_support_format_empty(input.handle());
    input.open();
  }

  void check_end() {
    input.drain();
    if (input.content_end() <= input.consumed()) return;
    throw Error(ErrorKind::corrupt, input.name(), "the archive is followed by other data",
                input.consumed());
  }

  LibarchiveInput input;
};

ArchiveReader::ArchiveReader(ByteSource source, std::string name, ByteSkip skip)
    : impl_(std::make_unique<Impl>(std::move(source), std::move(name), std::move(skip))) {}

ArchiveReader::~ArchiveReader() = default;

std::optional<ArchiveEntry> ArchiveReader::next() {
  archive_entry* entry = nullptr;
  const int result = ::archive_read_next_header(impl_->input.handle(), &entry);
  if (result == ARCHIVE_EOF) {
    impl_->check_end();
    return std::nullopt;
  }
  impl_->input.check(result);
  ArchiveEntry out;
  // The bytes as they stand: another locale's conversion would lose names.
  out.path = text_or_empty(::archive_entry_pathname(entry));
  out.mode = static_cast<std::uint32_t>(::archive_entry_perm(entry));
  out.owner = not_negative(::archive_entry_uid(entry));
  out.group = not_negative(::archive_entry_gid(entry));
  out.size = not_negative(::archive_entry_size(entry));
  out.is_sparse = ::archive_entry_sparse_count(entry) > 0;
  out.position = not_negative(::archive_read_header_position(impl_->input.handle()));
  if (const char* target = ::archive_entry_hardlink(entry)) {
    out.type = ArchiveEntry::Type::hard_link;
    out.target = target;
    return out;
  }
  switch (::archive_entry_filetype(entry)) {
    case AE_IFREG:
      out.type = ArchiveEntry::Type::file;
      break;
    case AE_IFDIR:
      out.type = ArchiveEntry::Type::folder;
      break;
    case AE_IFLNK:
      out.type = ArchiveEntry::Type::symlink;
      out.target = text_or_empty(::archive_entry_symlink(entry));
      break;
    default:
      break;
  }
  return out;
}

std::size_t ArchiveReader::read(std::span<std::uint8_t> buffer) {
  const la_ssize_t n = ::archive_read_data(impl_->input.handle(), buffer.data(), buffer.size());
  if (n < 0) impl_->input.fail();
  return static_cast<std::size_t>(n);
}

void ArchiveReader::read_up_to(std::uint64_t most, Bytes& out) {
  std::array<std::uint8_t, kInputBlock> buffer;
  while (out.size() < most) {
    const std::size_t n =
        read(std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), most - out.size())));
    if (n == 0) break;
    out.insert(out.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(n));
  }
}

}  // namespace whittle::imagegen
