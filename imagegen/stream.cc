// SPDX-License-Identifier: MIT
//
// libarchive, held to the same bytes every time. What has to be said for that:
//
// - The format is "pax restricted": plain ustar headers, and a pax header only for what ustar
//   cannot hold (a long or non-ASCII name, 8 GiB and more). Plain ustar would refuse those; full
//   pax would add headers with access times.
// - `bytes_in_last_block` 1: no padding to the 10 KiB record of a tape.
// - Names are converted by the locale's character set, and in the "C" locale a non-ASCII name comes
//   out empty. A library must not change the locale of its process, so the calls that look at it
//   run under a C.UTF-8 that belongs to this thread alone (uselocale).
// - Options that a filter does not know are reported by a return value and otherwise ignored; every
//   return value is checked.
//
// A compressor is an archive of the format "raw": one nameless entry, the filter's output alone.
//
// Level 9 is gzip's highest. zstd stops at 19 because the levels after it ask the reader for a
// window of up to 128 MiB.
#include "imagegen/stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <locale.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "common/error.h"

namespace whittle::imagegen {
namespace {

constexpr std::size_t kBlock = 1 << 16;  // bytes handed to the sink at a time

class Utf8Names {
 public:
  Utf8Names() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_ == nullptr) {
      throw Error(ErrorKind::internal, "",
                  "the C library has no locale C.UTF-8, which file names in a tar need");
    }
    previous_ = ::uselocale(locale_);
  }
  ~Utf8Names() {
    ::uselocale(previous_);
    ::freelocale(locale_);
  }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;

 private:
  locale_t locale_, previous_{};
};

using Entry = std::unique_ptr<archive_entry, decltype(&archive_entry_free)>;

Entry new_entry(const std::string& path, unsigned type, std::uint32_t mode, std::uint64_t size,
                std::int64_t mtime, const Owner& owner) {
  Entry entry(::archive_entry_new(), &archive_entry_free);
  if (entry == nullptr) throw std::bad_alloc();
  ::archive_entry_copy_pathname(entry.get(), path.c_str());
  ::archive_entry_set_filetype(entry.get(), type);
  ::archive_entry_set_perm(entry.get(), static_cast<mode_t>(mode));
  ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
  ::archive_entry_set_mtime(entry.get(), mtime, 0);
  ::archive_entry_set_uid(entry.get(), owner.user);
  ::archive_entry_set_gid(entry.get(), owner.group);
  return entry;
}

}  // namespace

// A libarchive writer and the sink behind it. An exception must not cross libarchive's C frames:
// the callback keeps it and `check` throws it on.
struct ArchiveHandle {
  explicit ArchiveHandle(ByteSink to) : sink(std::move(to)), writer(::archive_write_new()) {
    if (writer == nullptr) throw std::bad_alloc();
  }
  ~ArchiveHandle() {
    // Freeing closes, and closing writes: what is left of an unfinished archive goes nowhere.
    sink = nullptr;
    ::archive_write_free(writer);
  }
  ArchiveHandle(const ArchiveHandle&) = delete;
  ArchiveHandle& operator=(const ArchiveHandle&) = delete;

  void check(int result, std::string_view doing) {
    if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
    if (result == ARCHIVE_OK) return;
    const char* why = ::archive_error_string(writer);
    throw Error(ErrorKind::internal, "",
                fmt::format("libarchive cannot {}: {} (result {})", doing,
                            why == nullptr ? "no reason given" : why, result));
  }

  void open() {
    check(::archive_write_set_bytes_per_block(writer, kBlock), "set the block size");
    check(::archive_write_set_bytes_in_last_block(writer, 1), "leave out the padding");
    check(::archive_write_open(writer, this, nullptr, &ArchiveHandle::on_write, nullptr), "start");
  }

  void write(ByteView bytes) {
    while (!bytes.empty()) {
      const la_ssize_t n = ::archive_write_data(writer, bytes.data(), bytes.size());
      check(n > 0 ? ARCHIVE_OK : ARCHIVE_FATAL, "write data");
      bytes = bytes.subspan(std::min(static_cast<std::size_t>(n), bytes.size()));
    }
  }

  static la_ssize_t on_write(archive*, void* self, const void* data, std::size_t size) {
    auto* handle = static_cast<ArchiveHandle*>(self);
    try {
      if (handle->sink) handle->sink({static_cast<const std::uint8_t*>(data), size});
      return static_cast<la_ssize_t>(size);
    } catch (...) {
      handle->failure = std::current_exception();
      handle->sink = nullptr;
      return -1;
    }
  }

  ByteSink sink;
  archive* writer;
  std::exception_ptr failure;
};

TarWriter::TarWriter(ByteSink sink, std::int64_t mtime)
    : handle_(std::make_unique<ArchiveHandle>(std::move(sink))), mtime_(mtime) {
  handle_->check(::archive_write_set_format_pax_restricted(handle_->writer), "write tar");
  handle_->open();
}

TarWriter::~TarWriter() = default;

// Under a locale for the names in it.
void TarWriter::add_entry(archive_entry* entry, ByteView content) {
  const Utf8Names names;
  handle_->check(::archive_write_header(handle_->writer, entry), "write a tar header");
  handle_->write(content);
  handle_->check(::archive_write_finish_entry(handle_->writer), "finish a tar entry");
}

void TarWriter::add_folder(const std::string& path, std::uint32_t mode, const Owner& owner) {
  add_entry(new_entry(path + '/', AE_IFDIR, mode, 0, mtime_, owner).get(), {});
}

void TarWriter::add_file(const std::string& path, ByteView content, std::uint32_t mode,
                         const Owner& owner) {
  add_entry(new_entry(path, AE_IFREG, mode, content.size(), mtime_, owner).get(), content);
}

void TarWriter::add_link(const std::string& path, const std::string& target, const Owner& owner) {
  constexpr std::uint32_t kMode = 0777;
  const Entry entry = new_entry(path, AE_IFLNK, kMode, 0, mtime_, owner);
  ::archive_entry_copy_symlink(entry.get(), target.c_str());
  add_entry(entry.get(), {});
}

void TarWriter::finish() { handle_->check(::archive_write_close(handle_->writer), "finish"); }

Compressor::Compressor(ByteSink sink, Compression compression)
    : handle_(std::make_unique<ArchiveHandle>(std::move(sink))) {
  archive* writer = handle_->writer;
  handle_->check(::archive_write_set_format_raw(writer), "write a raw stream");
  switch (compression) {
    case Compression::gzip:
      handle_->check(::archive_write_add_filter_gzip(writer), "compress by gzip");
      handle_->check(::archive_write_set_filter_option(writer, "gzip", "compression-level", "9"),
                     "set gzip's level");
      handle_->check(::archive_write_set_filter_option(writer, "gzip", "timestamp", nullptr),
                     "leave out gzip's time");
      break;
    case Compression::zstd:
      handle_->check(::archive_write_add_filter_zstd(writer), "compress by zstd");
      handle_->check(::archive_write_set_filter_option(writer, "zstd", "compression-level", "19"),
                     "set zstd's level");
      break;
  }
  handle_->open();
  const Entry entry = new_entry("data", AE_IFREG, 0644, 0, 0, {});
  handle_->check(::archive_write_header(writer, entry.get()), "begin a raw stream");
}

Compressor::~Compressor() = default;

void Compressor::write(ByteView bytes) { handle_->write(bytes); }

void Compressor::finish() { handle_->check(::archive_write_close(handle_->writer), "finish"); }

}  // namespace whittle::imagegen
