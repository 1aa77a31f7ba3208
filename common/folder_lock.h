// SPDX-License-Identifier: MIT
//
// A lock on a folder, by flock(2) on the folder itself: it needs no file that could be left behind,
// and the kernel gives it up with the process, however that ends. It binds those who ask for it,
// processes and threads alike (`flock FOLDER COMMAND` does, too), and nobody else.
//
// The lock is on the folder, not on its name. Between the lookup of the name and the lock, somebody
// may put another folder in its place; `is_at` says whether that happened.
#pragma once

#include <filesystem>

#include "common/file_descriptor.h"

namespace whittle {

class FolderLock {
 public:
  enum class Kind {
    shared,     // for reading: with other readers
    exclusive,  // for writing: alone
  };

  // Waits until the lock is free. Throws Error{io} where the folder cannot be opened or its file
  // system has no locks.
  FolderLock(const std::filesystem::path& folder, Kind kind);

  // True where `folder` leads to the folder that is locked.
  bool is_at(const std::filesystem::path& folder) const;

 private:
  FileDescriptor descriptor_;
};

}  // namespace whittle
