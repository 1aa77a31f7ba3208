// SPDX-License-Identifier: MIT
//
// Memory in which one byte too far is a fault and not a matter of luck.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "common/bytes.h"

namespace whittle::test {

// Memory whose last byte is the last of its page; the page after it, and the one before the first,
// fault.
class GuardedMemory {
 public:
  explicit GuardedMemory(std::size_t size) : size_(size) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    inner_ = (size + page - 1) / page * page;
    mapped_ = inner_ + 2 * page;
    base_ = static_cast<std::uint8_t*>(
        mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (base_ == MAP_FAILED) throw std::bad_alloc();
    begin_ = base_ + page;
    if (inner_ != 0 && mprotect(begin_, inner_, PROT_READ | PROT_WRITE) != 0)
      throw std::bad_alloc();
  }
  explicit GuardedMemory(ByteView content) : GuardedMemory(content.size()) {
    if (!content.empty()) std::memcpy(data(), content.data(), content.size());
  }
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;
  ~GuardedMemory() { munmap(base_, mapped_); }

  std::uint8_t* data() const { return begin_ + (inner_ - size_); }
  std::size_t size() const { return size_; }
  Bytes bytes() const { return Bytes(data(), data() + size_); }

 private:
  std::uint8_t* base_;
  std::uint8_t* begin_;
  std::size_t size_, inner_, mapped_;
};

}  // namespace whittle::test
