// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "analyzer/analyzer.h"
#include "common/elf.h"
#include "common/error.h"
#include "common/file.h"

namespace whittle::analyzer {
namespace {

namespace fs = std::filesystem;

class Audit {
 public:
  explicit Audit(const InspectOptions& options) : options_(options) {}

  void add_named(const fs::path& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      add_folder(path);
    } else {
      add_file(path, false);
    }
  }
  std::vector<AuditedFile> take() { return std::move(files_); }

 private:
  void add_error(const fs::path& path, const Error& error) {
    AuditedFile file;
    file.path = path.native();
    file.error = error.message();
    if (error.offset()) file.error += " (at offset " + std::to_string(*error.offset()) + ")";
    file.error_exit_code = exit_code(error.kind());
    files_.push_back(std::move(file));
  }

  void add_folder(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> entries;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      entries.push_back(it->path());
    }
    if (error)
      add_error(folder, io_error(folder.native(), "cannot read the folder", error.value()));
    std::sort(entries.begin(), entries.end());
    for (const fs::path& entry : entries) {
      struct stat status {};
      if (::lstat(entry.c_str(), &status) != 0) {
        add_error(entry, io_error(entry.native(), "cannot stat", errno));
      } else if (S_ISDIR(status.st_mode)) {
        add_folder(entry);
      } else if (S_ISREG(status.st_mode)) {
        add_file(entry, true);
      }
    }
  }

  void add_file(const fs::path& path, bool found_in_folder) {
    try {
      // Most files of a folder are no executables; four bytes tell, without reading the rest.
      if (found_in_folder && !begins_like_elf(path)) return;
      const LoadedFile loaded = read_file(path);
      BinaryReport report = inspect(loaded.bytes, path.native(), options_);
      if (found_in_folder && is_passed_over(report.kind, loaded.status.mode)) return;
      AuditedFile file;
      file.path = path.native();
      file.report = std::move(report);
      files_.push_back(std::move(file));
    } catch (const Error& error) {
      add_error(path, error);
    }
  }

  static bool begins_like_elf(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) throw io_error(path.native(), "cannot open", errno);
    std::uint8_t start[4] = {};
    const ssize_t n = ::pread(fd, start, sizeof start, 0);
    const int error = errno;
    ::close(fd);
    if (n < 0) throw io_error(path.native(), "cannot read", error);
    return elf::has_magic(ByteView(start, static_cast<std::size_t>(n)));
  }

  static bool is_passed_over(Kind kind, mode_t mode) {
    switch (kind) {
      case Kind::static_executable:
      case Kind::static_pie:
      case Kind::dynamic_executable:
        return false;
      case Kind::shared_object:
        return (mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0;
      case Kind::relocatable:
      case Kind::core:
      case Kind::script:
      case Kind::not_elf:
        break;
    }
    return true;
  }

  InspectOptions options_;
  std::vector<AuditedFile> files_;
};

}  // namespace

std::vector<AuditedFile> audit(const std::vector<fs::path>& paths, const InspectOptions& options) {
  Audit audit(options);
  for (const fs::path& path : paths) audit.add_named(path);
  return audit.take();
}

}  // namespace whittle::analyzer
