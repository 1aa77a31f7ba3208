// SPDX-License-Identifier: MIT
//
// The few system calls of the stub, made directly: there is no libc in a packed program until the
// original brings its own. A failed call returns a negative errno, as the kernel does.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace whittle::stub {

#if defined(__x86_64__)

enum : long {
  kSysWrite = 1,
  kSysClose = 3,
  kSysMmap = 9,
  kSysMprotect = 10,
  kSysMunmap = 11,
  kSysSchedYield = 24,
  kSysMadvise = 28,
  kSysGetpid = 39,
  kSysFutex = 202,
  kSysSchedGetaffinity = 204,
  kSysExitGroup = 231,
  kSysTgkill = 234,
  kSysPrlimit64 = 302,
  kSysMemfdCreate = 319,
};

inline long syscall6(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

inline long syscall3(long number, long a, long b, long c) {
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c)
               : "rcx", "r11", "memory");
  return result;
}

#elif defined(__aarch64__) || defined(__riscv)

enum : long {  // asm-generic/unistd.h, which both take over
  kSysClose = 57,
  kSysWrite = 64,
  kSysExitGroup = 94,
  kSysFutex = 98,
  kSysSchedGetaffinity = 123,
  kSysSchedYield = 124,
  kSysTgkill = 131,
  kSysGetpid = 172,
  kSysMunmap = 215,
  kSysMmap = 222,
  kSysMprotect = 226,
  kSysMadvise = 233,
  kSysRiscvFlushIcache = 259,  // riscv alone
  kSysPrlimit64 = 261,
  kSysMemfdCreate = 279,
};

#if defined(__aarch64__)
#define WHITTLE_REGISTER(number) asm("x" #number)
#define WHITTLE_NUMBER_REGISTER asm("x8")
#define WHITTLE_SYSCALL "svc #0"
#else
#define WHITTLE_REGISTER(number) asm("a" #number)
#define WHITTLE_NUMBER_REGISTER asm("a7")
#define WHITTLE_SYSCALL "ecall"
#endif

inline long syscall6(long number, long a, long b, long c, long d, long e, long f) {
  register long r0 WHITTLE_REGISTER(0) = a;
  register long r1 WHITTLE_REGISTER(1) = b;
  register long r2 WHITTLE_REGISTER(2) = c;
  register long r3 WHITTLE_REGISTER(3) = d;
  register long r4 WHITTLE_REGISTER(4) = e;
  register long r5 WHITTLE_REGISTER(5) = f;
  register long r8 WHITTLE_NUMBER_REGISTER = number;
  asm volatile(WHITTLE_SYSCALL
               : "+r"(r0)
               : "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5), "r"(r8)
               : "memory");
  return r0;
}

inline long syscall3(long number, long a, long b, long c) {
  register long r0 WHITTLE_REGISTER(0) = a;
  register long r1 WHITTLE_REGISTER(1) = b;
  register long r2 WHITTLE_REGISTER(2) = c;
  register long r8 WHITTLE_NUMBER_REGISTER = number;
  asm volatile(WHITTLE_SYSCALL : "+r"(r0) : "r"(r1), "r"(r2), "r"(r8) : "memory");
  return r0;
}

#undef WHITTLE_REGISTER
#undef WHITTLE_NUMBER_REGISTER
#undef WHITTLE_SYSCALL

#else
#error "no system calls for this architecture"
#endif

// Linux uapi: asm-generic/mman-common.h, asm-generic/resource.h, linux/mman.h, linux/futex.h,
// linux/memfd.h, linux/auxvec.h.
enum : int { kProtRead = 1, kProtWrite = 2, kProtExec = 4 };
enum : int { kMapPrivate = 2, kMapFixed = 0x10, kMapAnonymous = 0x20 };
enum : int {
  kMadvDontneed = 4,
  kMadvHugepage = 14,
  kMadvPopulateRead = 22,   // Linux 5.14
  kMadvPopulateWrite = 23,  // Linux 5.14
};
enum : int { kFutexWait = 0, kFutexWake = 1, kFutexCompareRequeue = 4 | 128 };  // (private)
// CLONE_VM, _FS, _FILES, _SIGHAND, _THREAD, _SYSVSEM, _PARENT_SETTID, _CHILD_CLEARTID
inline constexpr long kCloneThread = 0x350f00;
enum : int { kLimitFileSize = 1 };
enum : long { kErrorFault = -14 };
enum : unsigned { kMemfdCloexec = 1, kMemfdExec = 0x10 };
enum : uint64_t { kAuxNull = 0, kAuxPhdr = 3, kAuxPhnum = 5, kAuxPagesz = 6, kAuxEntry = 9 };

inline bool failed(long result) { return result < 0 && result > -4096; }

inline long sys_mmap(uint64_t address, uint64_t size, int protection, int flags, int fd) {
  return syscall6(kSysMmap, static_cast<long>(address), static_cast<long>(size), protection, flags,
                  fd, 0);
}
inline long sys_mprotect(uint64_t address, uint64_t size, int protection) {
  return syscall3(kSysMprotect, static_cast<long>(address), static_cast<long>(size), protection);
}
inline long sys_munmap(uint64_t address, uint64_t size) {
  return syscall3(kSysMunmap, static_cast<long>(address), static_cast<long>(size), 0);
}
inline long sys_madvise(uint64_t address, uint64_t size, int advice) {
  return syscall3(kSysMadvise, static_cast<long>(address), static_cast<long>(size), advice);
}
inline long sys_write(int fd, const void* bytes, size_t size) {
  return syscall3(kSysWrite, fd, reinterpret_cast<long>(bytes), static_cast<long>(size));
}
// A limit of the calling process: the value in force, and how far it may be raised.
struct Limit {
  uint64_t soft, hard;
};
inline long sys_get_limit(int resource, Limit* limit) {
  return syscall6(kSysPrlimit64, 0, resource, 0, reinterpret_cast<long>(limit), 0, 0);
}
inline long sys_close(int fd) { return syscall3(kSysClose, fd, 0, 0); }
inline long sys_memfd_create(const char* name, unsigned flags) {
  return syscall3(kSysMemfdCreate, reinterpret_cast<long>(name), static_cast<long>(flags), 0);
}
// Shared, not private: the kernel's own wake-up at the end of a thread is a shared one.
inline long sys_futex(const uint32_t* word, int operation, long value) {
  return syscall6(kSysFutex, reinterpret_cast<long>(word), operation, value, 0, 0, 0);
}
// Bytes of the mask that were written, or a failure.
inline long sys_sched_getaffinity(uint64_t* mask, size_t size) {
  return syscall3(kSysSchedGetaffinity, 0, static_cast<long>(size), reinterpret_cast<long>(mask));
}
// Whether the byte at `address` can be read, where touching it might raise a signal: asks to move
// none of the threads that wait for the word there, for which the kernel reads it. Of the calls
// that read memory and change nothing this is the one that no filter of system calls leaves out.
[[gnu::noinline]] inline bool is_there(uint64_t address) {
  const auto word = static_cast<long>(address & ~uint64_t{3});
  return syscall6(kSysFutex, word, kFutexCompareRequeue, 0, 0, word, 0) != kErrorFault;
}
inline void sys_sched_yield() { syscall3(kSysSchedYield, 0, 0, 0); }
inline long sys_getpid() { return syscall3(kSysGetpid, 0, 0, 0); }
inline long sys_tgkill(long process, long thread, int signal) {
  return syscall3(kSysTgkill, process, thread, signal);
}
[[noreturn]] inline void sys_exit_group(int status) {
  for (;;) syscall3(kSysExitGroup, status, 0, 0);
}

}  // namespace whittle::stub
