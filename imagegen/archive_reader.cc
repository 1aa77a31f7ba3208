// SPDX-License-Identifier: MIT
#include "imagegen/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <array>
#include <exception>
#include <new>
#include <utility>

#include "common/error.h"

namespace whittle::imagegen {
namespace {

constexpr std::size_t kBlock = 1 << 16;
constexpr std::uint64_t kMaxBytes = std::uint64_t{64} << 30;  // of all entries

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

struct ArchiveReader::Impl {
  explicit Impl(std::string named) : name(std::move(named)), reader(::archive_read_new()) {
    if (reader == nullptr) throw std::bad_alloc();
    // No filters that start programs, no formats but tar.
    ::archive_read_support_filter_gzip(reader);
    ::archive_read_support_filter_zstd(reader);
    ::archive_read_support_filter_bzip2(reader);
    ::archive_read_support_filter_xz(reader);
    ::archive_read_support_format_tar(reader);
  }
  ~Impl() { ::archive_read_free(reader); }

  // An exception of the source must not cross libarchive's C frames: it waits here.
  static la_ssize_t on_read(archive*, void* self, const void** data) {
    auto* impl = static_cast<Impl*>(self);
    try {
      *data = impl->input.data();
      return static_cast<la_ssize_t>(impl->source(impl->input));
    } catch (...) {
      impl->failure = std::current_exception();
      return -1;
    }
  }

  [[noreturn]] void fail() const {
    if (failure) std::rethrow_exception(failure);
    const char* text = ::archive_error_string(reader);
    throw Error(
        ErrorKind::corrupt, name,
        fmt::format("cannot read the archive: {}", text != nullptr ? text : "it is damaged"));
  }
  void check(int result) const {
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) fail();
  }

  std::string name;
  archive* reader;
  ByteSource source;
  std::exception_ptr failure;
  std::array<std::uint8_t, kBlock> input{};
  std::uint64_t total = 0;
};

ArchiveReader::ArchiveReader(const std::filesystem::path& path)
    : impl_(std::make_unique<Impl>(path.native())) {
  impl_->check(::archive_read_open_filename(impl_->reader, path.c_str(), kBlock));
}

ArchiveReader::ArchiveReader(ByteSource source, std::string name)
    : impl_(std::make_unique<Impl>(std::move(name))) {
  impl_->source = std::move(source);
  impl_->check(::archive_read_open(impl_->reader, impl_.get(), nullptr, &Impl::on_read, nullptr));
}

ArchiveReader::~ArchiveReader() = default;

std::optional<ArchiveEntry> ArchiveReader::next() {
  archive_entry* entry = nullptr;
  const int result = ::archive_read_next_header(impl_->reader, &entry);
  if (result == ARCHIVE_EOF) return std::nullopt;
  impl_->check(result);
  ArchiveEntry out;
  // The bytes as they stand: another locale's conversion would lose names.
  out.path = text_or_empty(::archive_entry_pathname(entry));
  out.mode = static_cast<std::uint32_t>(::archive_entry_perm(entry));
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
  const la_ssize_t n = ::archive_read_data(impl_->reader, buffer.data(), buffer.size());
  if (n < 0) impl_->fail();
  impl_->total += static_cast<std::uint64_t>(n);
  if (impl_->total > kMaxBytes) {
    throw Error(ErrorKind::corrupt, impl_->name, "more than 64 GiB come out of the archive");
  }
  return static_cast<std::size_t>(n);
}

Bytes ArchiveReader::read_rest(std::uint64_t limit) {
  Bytes out;
  std::array<std::uint8_t, kBlock> buffer;
  while (const std::size_t n = read(buffer)) {
    if (n > limit - out.size()) {
      throw Error(ErrorKind::refused, impl_->name,
                  fmt::format("an entry is larger than {} bytes", limit));
    }
    out.insert(out.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(n));
  }
  return out;
}

}  // namespace whittle::imagegen
