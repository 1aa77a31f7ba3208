// SPDX-License-Identifier: MIT
//
// Files, read whole and written atomically. An output appears under its name only when all of its
// bytes are on disk: they go to a temporary file in the same folder, which is flushed (fsync) and
// renamed over the name. A run that fails or is interrupted leaves what was there before.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/bytes.h"
#include "common/file_descriptor.h"

namespace whittle {

// What `stat` says about a regular file.
struct FileStatus {
  std::uint64_t size = 0;    // bytes
  mode_t mode = 0;           // permission bits including set-uid, set-gid, sticky (07777)
  std::uint64_t device = 0;  // together with inode: the identity of the file
  std::uint64_t inode = 0;
  std::uint64_t links = 0;  // hard links
  uid_t owner = 0;
  gid_t group = 0;
  timespec accessed{}, modified{};
  Bytes capabilities;  // "security.capability", which the kernel grants to who runs it

  // Whether its code runs with more rights than its caller's.
  bool is_privileged() const { return (mode & 06000) != 0 || !capabilities.empty(); }
};

struct OpenedFile {
  FileDescriptor descriptor;
  FileStatus status;
};
struct LoadedFile {
  Bytes bytes;
  FileStatus status;
};

inline constexpr std::uint64_t kMaxFileBytes = std::uint64_t{4} << 30;

// Opens a regular file for reading. Throws Error{io} where it is
// missing or unreadable and Error{refused} where it is not a regular file (a folder, a FIFO, a
// device: nothing is opened that could block), or larger than `limit` bytes.
OpenedFile open_file(const std::filesystem::path& path, std::uint64_t limit = kMaxFileBytes);

// Reads a file that is opened like that.
LoadedFile read_file(const std::filesystem::path& path, std::uint64_t limit = kMaxFileBytes);

// True when both names lead to the same existing file.
bool same_file(const std::filesystem::path& a, const std::filesystem::path& b);

// Standard output as the name of an output. It is not opened: that would need /proc, and would
// write to the beginning of a file that standard output leads to.
inline constexpr const char* kStandardOutput = "/dev/stdout";

// Whether writing to `path` writes to standard output: kStandardOutput, or a name of the same pipe,
// socket, terminal or file.
bool is_standard_output(const std::filesystem::path& path);

// A file that appears under `path` when `commit` is called and never otherwise. A path that names
// an existing device or FIFO, or standard output, is written to directly: there is nothing to
// rename.
// Throws Error{io}; the message names the path the caller asked for.
class AtomicFile {
 public:
  // mode: of a new file, under the umask; permission bits alone. A symbolic link at `path` is
  // followed, and one that leads nowhere is an error.
  AtomicFile(const std::filesystem::path& path, mode_t mode);
  ~AtomicFile();  // removes the temporary file unless committed
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(ByteView bytes);
  int descriptor() const { return descriptor_.get(); }
  // Gives the file these permission bits whatever the umask is, as a copy of another file has them.
  // A device or FIFO that is written to directly keeps its own.
  void set_exact_mode(mode_t mode);
  // Gives it the owner, group and times of `like`. Where the system does not let this user give
  // files away the owner stays, and the times are set all the same.
  void set_owner_and_times(const FileStatus& like);
  // Whether owner and group are those of `like`.
  bool has_owner_of(const FileStatus& like) const;
  // Gives it file capabilities. False where the system does not let this user do so.
  bool set_capabilities(ByteView capabilities);
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;  // empty when written directly
  FileDescriptor descriptor_;
  int cleanup_slot_ = -1;
};

// The name of the file or folder that one of this name was to become, if it can be what an
// AtomicFile or a TemporaryFolder of a process that was killed has left; else empty. (SIGKILL is
// not seen by `remove_temporaries_on_signals`.)
std::string_view name_of_temporary(std::string_view name);

void write_file_atomic(const std::filesystem::path& path, ByteView bytes, mode_t mode = 0644);

// A folder that appears under `path` when `commit` is called and never otherwise: a new folder
// beside it, with a hidden name, that is renamed. Throws Error{io}.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::filesystem::path& path);
  ~TemporaryFolder();  // removes the folder with all that is in it unless committed
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return temporary_; }  // where to put the files
  // False where something has taken the path meanwhile; nothing was changed then. (On file systems
  // that cannot rename without replacing, an empty folder at that path is replaced.)
  [[nodiscard]] bool commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;  // empty when committed
  int cleanup_slot_ = -1;
};

// A file, or a folder with all that is in it, that goes when a signal ends the process while this
// object lives. The path need not exist yet.
class RemovedOnSignal {
 public:
  explicit RemovedOnSignal(const std::filesystem::path& path);
  ~RemovedOnSignal();
  RemovedOnSignal(const RemovedOnSignal&) = delete;
  RemovedOnSignal& operator=(const RemovedOnSignal&) = delete;

 private:
  int cleanup_slot_;
};

// Makes signals that end a process from outside (SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU) remove
// what every open AtomicFile, TemporaryFolder and RemovedOnSignal stands for before the process
// ends by that signal.
// Called once, by the command.
void remove_temporaries_on_signals();

// What that does when the signal comes; for a command that waits for signals itself. The first
// process of a container cannot die of a signal: it exits with 128 and the signal's number.
[[noreturn]] void remove_temporaries_and_die(int signal_number);

}  // namespace whittle
