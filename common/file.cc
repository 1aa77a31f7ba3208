// SPDX-License-Identifier: MIT
#include "common/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "common/error.h"

namespace whittle {
namespace {

// Names of the temporary files and folders to remove when a signal ends the process. A slot holds a
// name that stays allocated for as long as the slot points to it, so that the handler may read it
// at any time.
constexpr int kSlots = 1024;
std::array<std::atomic<char*>, kSlots> temporaries;

int claim_slot(const std::string& name) {
  char* copy = ::strdup(name.c_str());
  for (int i = 0; copy != nullptr && i < kSlots; i++) {
    char* expected = nullptr;
    if (temporaries[static_cast<std::size_t>(i)].compare_exchange_strong(expected, copy)) return i;
  }
  std::free(copy);
  return -1;  // more than kSlots outputs at once: one may be left behind on a signal
}

void release_slot(int slot) {
  if (slot >= 0) std::free(temporaries[static_cast<std::size_t>(slot)].exchange(nullptr));
}

// Removes a file, or a folder with all that is in it, by system calls alone: this runs in a signal
// handler, where opendir's malloc may be waiting for itself. Links are removed, not followed.
void remove_by_system_calls(int folder, const char* name, int depth) {
  constexpr int kDeepest = 16;
  if (::unlinkat(folder, name, 0) == 0 || depth == kDeepest) return;
  const int fd = ::openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  alignas(dirent64) char buffer[2048];
  for (;;) {
    const long n = ::syscall(SYS_getdents64, fd, buffer, sizeof buffer);
    if (n <= 0) break;
    for (long at = 0; at < n;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer + at);
      const char* child = entry->d_name;
      const bool is_dots = std::strcmp(child, ".") == 0 || std::strcmp(child, "..") == 0;
      if (!is_dots) remove_by_system_calls(fd, child, depth + 1);
      at += entry->d_reclen;
    }
  }
  ::close(fd);
  ::unlinkat(folder, name, AT_REMOVEDIR);
}

const char* describe_non_regular(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISBLK(mode) || S_ISCHR(mode)) return "a device";
  return "not a regular file";
}

// A temporary name: ".NAME.RANDOM".
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t kRandomLetters = 10;

struct Temporary {
  int made = -1;  // what `make` returned
  std::string name;
  int cleanup_slot = -1;
};

// The begin of a file's name, for the name of something temporary: a name has at most 255 bytes. A
// character is kept whole (UTF-8).
std::string_view shortened(std::string_view name) {
  constexpr std::size_t kLongest = 200;
  if (name.size() <= kLongest) return name;
  std::size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) end--;
  return name.substr(0, end);
}

// Makes something new beside `path` under a hidden name that nothing has, by `make`, which returns
// a negative number where it fails. Throws Error{io}. The name has its slot before there is
// anything under it: a signal that arrives while the system makes it is handled right after.
// (mkostemp and mkdtemp give modes of their own, and what the umask makes of another one can only
// be asked by changing the umask, which other threads would see. Here the system applies it.)
template <typename Make>
Temporary make_beside(const std::filesystem::path& path, const char* what, const Make& make) {
  for (int attempts = 100;; attempts--) {
    std::array<unsigned char, kRandomLetters> random{};
    if (::getrandom(random.data(), random.size(), 0) < 0) {
      throw io_error(path.native(), what, errno);
    }
    std::string ending;
    for (const unsigned char byte : random) ending += kLetters[byte % kLetters.size()];
    const std::string file_name = path.filename().native();
    const std::string name =
        (path.parent_path() / fmt::format(".{}.{}", shortened(file_name), ending)).native();
    const int slot = claim_slot(name);
    const int made = make(name.c_str());
    if (made >= 0) return {.made = made, .name = name, .cleanup_slot = slot};
    const int error = errno;
    release_slot(slot);
    if (error != EEXIST || attempts == 0) throw io_error(path.native(), what, error);
  }
}

// Makes the rename itself durable. Some file systems refuse to sync a folder; the file is complete
// by then, so that is not a failure.
void sync_folder_of(const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0) ::fsync(fd.get());
}

constexpr const char* kCapabilities = "security.capability";

Bytes capabilities_of(int descriptor) {
  Bytes value(64);  // struct vfs_ns_cap_data has 24
  const ssize_t size = ::fgetxattr(descriptor, kCapabilities, value.data(), value.size());
  value.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return value;
}

}  // namespace

OpenedFile open_file(const std::filesystem::path& path, std::uint64_t limit) {
  // O_NONBLOCK: opening a FIFO must not wait for its writer.
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (fd.get() < 0) throw io_error(path.native(), "cannot open", errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw io_error(path.native(), "cannot stat", errno);
  if (!S_ISREG(status.st_mode)) {
    throw Error(
        ErrorKind::refused, path.native(),
        fmt::format("is {}, but a regular file is needed", describe_non_regular(status.st_mode)));
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > limit) {
    throw Error(ErrorKind::refused, path.native(),
                fmt::format("has {} bytes, more than the {} that whittle takes", size, limit));
  }
  Bytes capabilities = capabilities_of(fd.get());
  return {.descriptor = std::move(fd),
          .status = {.size = size,
                     .mode = static_cast<mode_t>(status.st_mode & 07777),
                     .device = status.st_dev,
                     .inode = status.st_ino,
                     .links = status.st_nlink,
                     .owner = status.st_uid,
                     .group = status.st_gid,
                     .accessed = status.st_atim,
                     .modified = status.st_mtim,
                     .capabilities = std::move(capabilities)}};
}

LoadedFile read_file(const std::filesystem::path& path, std::uint64_t limit) {
  const OpenedFile opened = open_file(path, limit);
  LoadedFile file;
  file.status = opened.status;
  file.bytes.resize(file.status.size);
  std::size_t done = 0;
  while (done < file.bytes.size()) {
    const ssize_t n =
        ::read(opened.descriptor.get(), file.bytes.data() + done, file.bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw io_error(path.native(), "cannot read", errno);
    if (n == 0) {
      throw Error(ErrorKind::io, path.native(), "became shorter while it was being read", done);
    }
    done += static_cast<std::size_t>(n);
  }
  std::uint8_t more = 0;
  if (file.bytes.empty() && ::read(opened.descriptor.get(), &more, 1) == 1) {
    throw Error(ErrorKind::refused, path.native(),
                "says that it has 0 bytes, and has more: it is one of the kernel's (/proc, /sys); "
                "copy it and use the copy");
  }
  return file;
}

bool same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  struct stat first {
  }, second{};
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

bool is_standard_output(const std::filesystem::path& path) {
  if (path == kStandardOutput) return true;
  struct stat named {
  }, standard{};
  if (::stat(path.c_str(), &named) != 0 || ::fstat(STDOUT_FILENO, &standard) != 0) return false;
  if (S_ISCHR(standard.st_mode) && ::isatty(STDOUT_FILENO) == 0) return false;  // /dev/null
  return named.st_dev == standard.st_dev && named.st_ino == standard.st_ino;
}

AtomicFile::AtomicFile(const std::filesystem::path& path, mode_t mode) : path_(path) {
  if (path == kStandardOutput) {
    descriptor_.reset(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!descriptor_) throw io_error("standard output", "cannot write", errno);
    return;
  }
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) {
      throw Error(ErrorKind::io, path.native(), "cannot write: is a folder; name a file in it");
    }
    if (!S_ISREG(status.st_mode)) {
      descriptor_.reset(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
      if (!descriptor_) throw io_error(path.native(), "cannot write", errno);
      return;
    }
    // A symbolic link stays one: the file it leads to is what gets replaced.
    std::error_code error;
    const auto target = std::filesystem::canonical(path, error);
    if (!error) path_ = target;
  } else if (errno == ENAMETOOLONG) {
    throw io_error(path.native(), "cannot write", errno);
  } else if (::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode)) {
    throw Error(ErrorKind::io, path.native(),
                "cannot write: is a symbolic link that leads nowhere; name the file itself");
  }
  const Temporary file =
      make_beside(path_, "cannot create a temporary file next to it", [&](const char* name) {
        return ::open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0777);
      });
  descriptor_.reset(file.made);
  temporary_ = file.name;
  cleanup_slot_ = file.cleanup_slot;
}

AtomicFile::~AtomicFile() {
  descriptor_.reset();
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  release_slot(cleanup_slot_);
}

void AtomicFile::write(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw io_error(path_.native(), "cannot write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void AtomicFile::set_exact_mode(mode_t mode) {
  if (!temporary_.empty() && ::fchmod(descriptor_.get(), mode) != 0) {
    throw io_error(path_.native(), "cannot set the mode", errno);
  }
}

void AtomicFile::set_owner_and_times(const FileStatus& like) {
  if (temporary_.empty()) return;
  if (::fchown(descriptor_.get(), like.owner, like.group) != 0 && errno != EPERM) {
    throw io_error(path_.native(), "cannot set the owner", errno);
  }
  const timespec times[2] = {like.accessed, like.modified};
  if (::futimens(descriptor_.get(), times) != 0) {
    throw io_error(path_.native(), "cannot set the times", errno);
  }
}

bool AtomicFile::has_owner_of(const FileStatus& like) const {
  struct stat status {};
  if (::fstat(descriptor_.get(), &status) != 0)
    throw io_error(path_.native(), "cannot stat", errno);
  return status.st_uid == like.owner && status.st_gid == like.group;
}

bool AtomicFile::set_capabilities(ByteView capabilities) {
  return temporary_.empty() || ::fsetxattr(descriptor_.get(), kCapabilities, capabilities.data(),
                                           capabilities.size(), 0) == 0;
}

void AtomicFile::commit() {
  if (!temporary_.empty() && ::fsync(descriptor_.get()) != 0) {
    throw io_error(path_.native(), "cannot flush to disk", errno);
  }
  const int closed = ::close(descriptor_.release());
  if (closed != 0) throw io_error(path_.native(), "cannot close", errno);
  if (temporary_.empty()) return;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    throw io_error(path_.native(), "cannot put the finished file in its place", errno);
  }
  temporary_.clear();
  sync_folder_of(path_);
}

std::string_view name_of_temporary(std::string_view name) {
  constexpr std::size_t kEnding = 1 + kRandomLetters;  // with its dot
  if (name.size() <= 1 + kEnding || name.front() != '.') return {};
  const std::string_view ending = name.substr(name.size() - kEnding);
  if (ending.front() != '.' || ending.substr(1).find_first_not_of(kLetters) != ending.npos) {
    return {};
  }
  return name.substr(1, name.size() - 1 - kEnding);
}

void write_file_atomic(const std::filesystem::path& path, ByteView bytes, mode_t mode) {
  AtomicFile file(path, mode);
  file.write(bytes);
  file.commit();
}

TemporaryFolder::TemporaryFolder(const std::filesystem::path& path) : path_(path) {
  const Temporary folder = make_beside(path, "cannot create a temporary folder next to it",
                                       [](const char* name) { return ::mkdir(name, 0777); });
  temporary_ = folder.name;
  cleanup_slot_ = folder.cleanup_slot;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) std::filesystem::remove_all(temporary_, ignored);
  release_slot(cleanup_slot_);
}

bool TemporaryFolder::commit() {
  const char *from = temporary_.c_str(), *to = path_.c_str();
  int result = ::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
  if (result != 0 && (errno == EINVAL || errno == ENOSYS)) result = ::rename(from, to);
  if (result != 0) {
    if (errno == EEXIST || errno == ENOTEMPTY) return false;
    throw io_error(path_.native(), "cannot put the finished folder in its place", errno);
  }
  temporary_.clear();
  sync_folder_of(path_);
  return true;
}

void remove_temporaries_and_die(int signal_number) {
  for (auto& slot : temporaries) {
    // Taken out, so that no other thread frees the name meanwhile.
    if (const char* name = slot.exchange(nullptr)) remove_by_system_calls(AT_FDCWD, name, 0);
  }
  ::signal(signal_number, SIG_DFL);
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, signal_number);
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  ::raise(signal_number);
  ::_exit(128 + signal_number);
}

RemovedOnSignal::RemovedOnSignal(const std::filesystem::path& path)
    : cleanup_slot_(claim_slot(path.native())) {}

RemovedOnSignal::~RemovedOnSignal() { release_slot(cleanup_slot_); }

void remove_temporaries_on_signals() {
  for (const int signal_number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU}) {
    struct sigaction current {};
    // A signal that the parent chose to ignore (nohup) stays ignored.
    if (::sigaction(signal_number, nullptr, &current) == 0 && current.sa_handler == SIG_IGN) {
      continue;
    }
    struct sigaction action {};
    action.sa_handler = remove_temporaries_and_die;
    ::sigaction(signal_number, &action, nullptr);
  }
}

}  // namespace whittle
