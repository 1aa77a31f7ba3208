// SPDX-License-Identifier: MIT
#include "flow/artifacts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/error.h"
#include "common/file.h"
#include "common/file_descriptor.h"
#include "common/host_path.h"

namespace whittle::flow {
namespace {

namespace fs = std::filesystem;

struct stat status_of(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) throw io_error(path.native(), "cannot stat", errno);
  return status;
}

void copy_file(const fs::path& from, const fs::path& to, mode_t mode) {
  const FileDescriptor input(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!input) throw io_error(from.native(), "cannot open", errno);
  AtomicFile output(to, mode);
  std::array<std::uint8_t, 1 << 16> buffer;
  while (true) {
    const ssize_t n = ::read(input.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw io_error(from.native(), "cannot read", errno);
    if (n == 0) break;
    output.write(ByteView(buffer.data(), static_cast<std::size_t>(n)));
  }
  output.set_exact_mode(mode);
  output.commit();
}

void copy_link(const fs::path& from, const fs::path& to, const fs::path& work_dir) {
  if (!leads_inside(from, work_dir)) {
    throw Error(ErrorKind::refused, from.native(),
                "is a symbolic link that leads out of the work directory");
  }
  std::error_code error;
  fs::remove(to, error);
  fs::create_symlink(fs::read_symlink(from), to, error);
  if (error) throw io_error(to.native(), "cannot create the symbolic link", error.value());
}

void copy_tree(const fs::path& from, const fs::path& to, const fs::path& work_dir) {
  const struct stat status = status_of(from);
  const auto mode = static_cast<mode_t>(status.st_mode & 07777);
  if (S_ISLNK(status.st_mode)) return copy_link(from, to, work_dir);
  if (S_ISREG(status.st_mode)) return copy_file(from, to, mode);
  if (!S_ISDIR(status.st_mode)) {
    throw Error(ErrorKind::refused, from.native(),
                "is neither a file, a folder nor a symbolic link; leave it out of the artifacts");
  }
  std::error_code error;
  fs::create_directory(to, error);
  if (error) throw io_error(to.native(), "cannot create the folder", error.value());
  std::vector<fs::path> names;
  for (auto entry = fs::directory_iterator(from, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  if (error) throw io_error(from.native(), "cannot list the folder", error.value());
  std::sort(names.begin(), names.end());
  for (const fs::path& name : names) copy_tree(from / name, to / name, work_dir);
  // Last, because the mode may forbid writing.
  if (::chmod(to.c_str(), mode) != 0) throw io_error(to.native(), "cannot set the mode", errno);
}

}  // namespace

void copy_artifact(const config::Artifact& artifact, const fs::path& source_root,
                   const fs::path& work_dir) {
  std::error_code error;
  const fs::path source = fs::canonical(source_root / artifact.source, error);
  if (error) {
    throw Error(
        ErrorKind::failed, artifact.source,
        fmt::format("is an artifact, but the step did not create it ({})", error.message()));
  }
  if (!leads_inside(source, work_dir)) {
    throw Error(ErrorKind::refused, artifact.source,
                "is an artifact that leads out of the work directory through a symbolic link");
  }
  const fs::path folder = work_dir / artifact.folder;
  const auto refuse_outside = [&] {
    if (!leads_inside(folder, work_dir)) {
      throw Error(ErrorKind::refused, artifact.folder,
                  "leads out of the work directory through a symbolic link");
    }
  };
  refuse_outside();
  fs::create_directories(folder, error);
  if (error) throw io_error(folder.native(), "cannot create the folder", error.value());

  // "out/" and "." have no base name of their own: it is that of what they lead to.
  fs::path name = fs::path(artifact.source).lexically_normal().filename();
  if (name.empty() || name == ".") name = source.filename();
  const fs::path target = folder / name;
  if (same_file(source, target)) return;
  if (fs::is_directory(source) && leads_inside(target, source)) {
    throw Error(ErrorKind::refused, artifact.source,
                fmt::format("cannot be copied into itself (`{}`)", artifact.folder));
  }
  if (!leads_inside(target, work_dir)) {
    throw Error(ErrorKind::refused, target.native(),
                "is a symbolic link that leads out of the work directory");
  }
  copy_tree(source, target, work_dir);
}

}  // namespace whittle::flow
