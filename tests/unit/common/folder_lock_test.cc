// SPDX-License-Identifier: MIT
#include "common/folder_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "tests/unit/common/mutate.h"
#include "tests/unit/common/scratch.h"

namespace whittle {
namespace {

namespace fs = std::filesystem;

// Whether a stranger could have the folder's lock now.
bool is_free(const fs::path& folder, int operation) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
  const bool free = ::flock(descriptor, operation | LOCK_NB) == 0;
  ::close(descriptor);
  return free;
}

TEST(FolderLock, IsExclusiveOrShared) {
  const test::Scratch scratch;
  const fs::path& folder = scratch.path();
  {
    const FolderLock lock(folder, FolderLock::Kind::exclusive);
    EXPECT_FALSE(is_free(folder, LOCK_SH));
  }
  {
    const FolderLock one(folder, FolderLock::Kind::shared), two(folder, FolderLock::Kind::shared);
    EXPECT_TRUE(is_free(folder, LOCK_SH));
    EXPECT_FALSE(is_free(folder, LOCK_EX));
  }
  EXPECT_TRUE(is_free(folder, LOCK_EX));
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST(FolderLock, EndsWithItsProcess) {
  const test::Scratch scratch;
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(scratch.path(), FolderLock::Kind::exclusive);
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(is_free(scratch.path(), LOCK_EX));
}

TEST(FolderLock, KnowsWhetherTheNameLeadsElsewhere) {
  const test::Scratch scratch;
  const fs::path folder = scratch.path() / "a";
  fs::create_directory(folder);
  const FolderLock lock(folder, FolderLock::Kind::exclusive);
  EXPECT_TRUE(lock.is_at(folder));
  fs::rename(folder, scratch.path() / "b");
  EXPECT_FALSE(lock.is_at(folder));
  fs::create_directory(folder);
  EXPECT_FALSE(lock.is_at(folder));
  EXPECT_TRUE(lock.is_at(scratch.path() / "b"));
}

TEST(FolderLock, NeedsAFolder) {
  const test::Scratch scratch;
  for (const char* path : {"missing", "/dev/null"}) {
    test::expect_error(ErrorKind::io, [&] {
      const FolderLock lock(scratch.path() / path, FolderLock::Kind::shared);
    });
  }
}

}  // namespace
}  // namespace whittle
