// SPDX-License-Identifier: MIT
//
// A file descriptor that is closed with its owner. Code that runs between fork and exec, and in
// signal handlers, closes by hand.
#pragma once

#include <unistd.h>

#include <utility>

namespace whittle {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number)
      : number_(number) {}  // negative: none, as system calls have it
  ~FileDescriptor() { reset(); }
  FileDescriptor(FileDescriptor&& other) noexcept : number_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    reset(other.release());
    return *this;
  }

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  // The caller closes it.
  int release() { return std::exchange(number_, -1); }
  void reset(int number = -1) {
    const int former = std::exchange(number_, number);
    if (former >= 0) ::close(former);
  }

 private:
  int number_ = -1;
};

}  // namespace whittle
