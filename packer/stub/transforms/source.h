// SPDX-License-Identifier: MIT
//
// Takes bytes and numbers off the front of a stream that may hold anything. Asking for more than
// there is gives zeros and is remembered: a join checks once, at the end, and must only make sure
// that it comes to its end.
//
// Numbers are varints, the same code as DWARF's ULEB128: 7 bits a byte, lowest first, the highest
// bit set on all bytes but the last. Signed ones have the sign in the lowest bit (zigzag).
#pragma once

#include "packer/stub/base/zigzag.h"
#include "packer/stub/transforms/stream_view.h"

namespace whittle::stub {

class Source {
 public:
  Source() = default;
  explicit Source(const StreamView& stream) : at_(stream.data), end_(stream.data + stream.size) {}

  bool empty() const { return at_ == end_; }

  // Everything was there and everything was taken.
  bool exhausted() const { return !failed_ && at_ == end_; }
  bool failed() const { return failed_; }

  [[gnu::noinline]] void copy(uint8_t* out, size_t size) {
    if (size > static_cast<size_t>(end_ - at_)) {
      failed_ = true;
    } else if (size != 0) {
      __builtin_memcpy(out, at_, size);
      at_ += size;
    }
  }
  uint8_t byte() {
    if (at_ == end_) {
      failed_ = true;
      return 0;
    }
    return *at_++;
  }
  [[gnu::noinline]] uint64_t number() {
    if (at_ != end_ && *at_ < 128) return *at_++;
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const uint8_t next = byte();
      value |= uint64_t{next & 127U} << shift;
      if (next < 128) return value;
    }
    failed_ = true;
    return 0;
  }
  uint64_t signed_number() { return unzigzag(number()); }

 private:
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  bool failed_ = false;
};

// Those of a join, one a stream, by its number.
template <size_t count>
class Sources {
 public:
  explicit Sources(const StreamView* streams) {
    for (size_t i = 0; i < count; i++) sources_[i] = Source(streams[i]);
  }
  Source& operator[](size_t index) { return sources_[index]; }

  bool exhausted() const {
    bool all = true;
    for (const Source& source : sources_) all &= source.exhausted();
    return all;
  }

 private:
  Source sources_[count];
};

}  // namespace whittle::stub
