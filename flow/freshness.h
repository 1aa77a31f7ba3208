// SPDX-License-Identifier: MIT
//
// Finds executables that a build ships although none of its commands touched them. `go build -o
// helo` beside yesterday's `hello` is such a build: it ends well, and ships yesterday's program. So
// is `make` with nothing to do, which is as it should be; hence a warning and not an error.
//
// A file was touched where its inode or one of its times is another than before anything ran: the
// time of its last change of status, too, which nobody can set back (a reproducible build sets the
// other one to the same value every time). Files are compared with the beginning of the build, not
// of the step: what a step before has made is fresh.
//
// A copy is always new, so the origin of a file is looked for: a file that an artifact was copied
// to is as fresh as the artifact. A step that runs no command is not answerable for a file, unless
// a step that it depends on hands it on.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "flow/plan.h"

namespace whittle::flow {

struct FileStamp {
  std::uint64_t device = 0, inode = 0, size = 0;
  timespec modified{}, changed{};

  bool operator==(const FileStamp& other) const;
};

// Of the file that the path leads to. Nothing where there is no regular file.
std::optional<FileStamp> stamp_of(const std::filesystem::path& path);

class Freshness {
 public:
  // Looks at the files as they are before anything runs.
  Freshness(const Plan& plan, const std::filesystem::path& work_dir);

  // What there is to warn of when the step of that index is about to ship its executable; empty
  // where the executable is fresh, or not for anybody to say. Thread-safe.
  std::string warning(std::size_t step) const;

 private:
  struct Origin {
    std::string path;       // under the work directory
    std::size_t owner = 0;  // the step that was to make it
    std::optional<FileStamp> stamp;
  };
  std::optional<Origin> find_origin(std::size_t step, const std::string& path,
                                    std::vector<std::string>& seen) const;

  const Plan& plan_;
  const std::filesystem::path work_dir_;
  std::vector<std::vector<std::size_t>> ancestors_;  // by step: what it depends on, the last first
  std::vector<std::optional<Origin>> origins_;       // by step
};

}  // namespace whittle::flow
