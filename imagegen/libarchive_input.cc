// SPDX-License-Identifier: MIT
#include "imagegen/libarchive_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "common/error.h"

namespace whittle::imagegen {

LibarchiveInput::LibarchiveInput(ByteSource source, ByteSkip skip, std::string name)
    : source_(std::move(source)),
      skip_(std::move(skip)),
      name_(std::move(name)),
      reader_(::archive_read_new()) {
  if (reader_ == nullptr) throw std::bad_alloc();
}

LibarchiveInput::~LibarchiveInput() { ::archive_read_free(reader_); }

void LibarchiveInput::open() {
  check(
      ::archive_read_open2(reader_, this, nullptr, &on_read, skip_ ? &on_skip : nullptr, nullptr));
}

void LibarchiveInput::fail() const {
  if (failure_) std::rethrow_exception(failure_);
  if (::archive_errno(reader_) == ENOMEM) throw std::bad_alloc();
  const char* text = ::archive_error_string(reader_);
  throw Error(ErrorKind::corrupt, name_,
              fmt::format("cannot read the archive: {}",
                          text != nullptr ? text : "it is damaged or cut short"));
}

void LibarchiveInput::check(int result) const {
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN) fail();
}

std::size_t LibarchiveInput::fill() {
  const std::size_t n = source_(buffer_);
  const auto last = std::find_if(std::make_reverse_iterator(buffer_.begin() + n), buffer_.rend(),
                                 [](std::uint8_t byte) { return byte != 0; });
  const auto end = static_cast<std::uint64_t>(buffer_.rend() - last);
  if (end != 0) content_end_ = given_ + end;
  given_ += n;
  return n;
}

la_ssize_t LibarchiveInput::on_read(archive*, void* self, const void** data) {
  auto* input = static_cast<LibarchiveInput*>(self);
  try {
    const std::size_t n = input->fill();
    *data = input->buffer_.data();
    return static_cast<la_ssize_t>(n);
  } catch (...) {
    input->failure_ = std::current_exception();
    return -1;
  }
}

la_int64_t LibarchiveInput::on_skip(archive*, void* self, la_int64_t bytes) {
  auto* input = static_cast<LibarchiveInput*>(self);
  try {
    const std::uint64_t passed =
        input->skip_(static_cast<std::uint64_t>(std::max<la_int64_t>(bytes, 0)));
    input->given_ += passed;
    return static_cast<la_int64_t>(passed);
  } catch (...) {
    input->failure_ = std::current_exception();
    return ARCHIVE_FATAL;
  }
}

std::uint64_t LibarchiveInput::consumed() const {
  return static_cast<std::uint64_t>(::archive_filter_bytes(reader_, -1));
}

std::uint64_t LibarchiveInput::drain() {
  while (fill() != 0) {
  }
  return given_ - consumed();
}

}  // namespace whittle::imagegen
