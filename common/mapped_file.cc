// SPDX-License-Identifier: MIT
//
// SIGBUS comes to the thread that touched the page, so the handler needs to know of that thread's
// mapping only. It puts a page of zeros there and returns; the access is tried again and succeeds.
// Outside of the mapping it is not ours: the former action is put back, and the access is tried
// again under that.
#include "common/mapped_file.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>

#include "common/error.h"

namespace whittle {
namespace {

struct Mapping {
  std::uintptr_t begin = 0, end = 0;
  std::atomic<bool> lost_pages = false;
};

constinit thread_local Mapping* current = nullptr;
std::uintptr_t page_size;  // set before the handler is
struct sigaction former_action;

void replace_page(int, siginfo_t* info, void*) {
  const int error = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  Mapping* mapping = current;
  if (mapping == nullptr || address < mapping->begin || address >= mapping->end ||
      ::mmap(reinterpret_cast<void*>(address & ~(page_size - 1)), page_size, PROT_READ,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
    ::sigaction(SIGBUS, &former_action, nullptr);
  } else {
    mapping->lost_pages = true;
  }
  errno = error;
}

void set_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    struct sigaction action {};
    action.sa_sigaction = replace_page;
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGBUS, &action, &former_action);
  });
}

// Maps a file for as long as it lives.
class MappedBytes {
 public:
  MappedBytes(const OpenedFile& file, const std::filesystem::path& path) {
    const std::uint64_t size = file.status.size;
    int error = 0;
    if (size != 0) {
      start_ = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor.get(), 0);
      error = errno;
    }
    if (start_ == MAP_FAILED) throw io_error(path.native(), "cannot map", error);
    mapping_.begin = reinterpret_cast<std::uintptr_t>(start_);
    mapping_.end = mapping_.begin + size;
    current = &mapping_;
  }
  ~MappedBytes() {
    current = nullptr;
    if (start_ != nullptr) ::munmap(start_, mapping_.end - mapping_.begin);
  }
  MappedBytes(const MappedBytes&) = delete;
  MappedBytes& operator=(const MappedBytes&) = delete;

  ByteView bytes() const {
    return {static_cast<const std::uint8_t*>(start_), mapping_.end - mapping_.begin};
  }
  bool lost_pages() const { return mapping_.lost_pages; }

 private:
  void* start_ = nullptr;
  Mapping mapping_;
};

}  // namespace

void with_mapped_file(const std::filesystem::path& path,
                      const std::function<void(ByteView, const FileStatus&)>& reader,
                      std::uint64_t limit) {
  set_handler();
  const OpenedFile file = open_file(path, limit);
  const MappedBytes mapped(file, path);
  const auto check = [&] {
    if (mapped.lost_pages()) {
      throw Error(ErrorKind::io, path.native(), "became shorter while it was being read");
    }
  };
  try {
    reader(mapped.bytes(), file.status);
  } catch (const Error&) {
    check();  // which explains the other
    throw;
  }
  check();
}

}  // namespace whittle
