// SPDX-License-Identifier: MIT
#include "packer/stub/start/protect.h"

#include "packer/stub/base/linux.h"
#include "packer/stub/start/instruction_cache.h"

namespace whittle::stub {
namespace {

// Calls attempt(protection) with the guard, or without where the processor knows none.
template <class Attempt>
bool guarded(int protection, uint32_t guard, Attempt attempt) {
#if defined(__aarch64__)
  if (guard != 0 && attempt(protection | static_cast<int>(guard))) return true;
#else
  (void)guard;
#endif
  return attempt(protection);
}

// Whether this process may write a file of so many bytes. Asked beforehand, because writing beyond
// the limit does not fail: it raises SIGXFSZ.
bool may_write(uint64_t size) {
  Limit limit;
  return failed(sys_get_limit(kLimitFileSize, &limit)) || size <= limit.soft;
}

// Replaces [begin, end) by a mapping of a file that holds the same bytes.
bool map_through_memfd(uint64_t begin, uint64_t end, int protection, uint32_t guard) {
  if (!may_write(end - begin)) return false;
  long fd = sys_memfd_create("whittle", kMemfdCloexec | kMemfdExec);
  if (failed(fd)) fd = sys_memfd_create("whittle", kMemfdCloexec);  // before Linux 6.3
  if (failed(fd)) return false;
  bool ok = true;
  for (uint64_t at = begin; ok && at < end;) {
    const long n = sys_write(static_cast<int>(fd), reinterpret_cast<const void*>(at), end - at);
    ok = !failed(n) && n > 0;
    at += static_cast<uint64_t>(n);
  }
  ok = ok && guarded(protection, guard, [&](int wanted) {
         return !failed(
             sys_mmap(begin, end - begin, wanted, kMapPrivate | kMapFixed, static_cast<int>(fd)));
       });
  sys_close(static_cast<int>(fd));
  return ok;
}

}  // namespace

bool protect(uint64_t begin, uint64_t end, int protection, uint32_t guard) {
  // While it is readable still, whatever it will be.
  if ((protection & kProtExec) != 0) make_executable_as_written(begin, end);
  return guarded(protection, guard,
                 [&](int wanted) { return !failed(sys_mprotect(begin, end - begin, wanted)); }) ||
         map_through_memfd(begin, end, protection, guard);
}

}  // namespace whittle::stub
