// SPDX-License-Identifier: MIT
#include "common/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/error.h"

namespace whittle {

FolderLock::FolderLock(const std::filesystem::path& folder, Kind kind)
    : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!descriptor_) throw io_error(folder.native(), "cannot open", errno);
  while (::flock(descriptor_.get(), kind == Kind::shared ? LOCK_SH : LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    throw io_error(folder.native(), "cannot lock", errno);
  }
}

bool FolderLock::is_at(const std::filesystem::path& folder) const {
  struct stat locked {
  }, named{};
  return ::fstat(descriptor_.get(), &locked) == 0 && ::stat(folder.c_str(), &named) == 0 &&
         locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
}

}  // namespace whittle
