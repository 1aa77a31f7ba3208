// SPDX-License-Identifier: MIT
//
// The few things that expanding asks of its surroundings. In the stub they are system calls; in
// whittle, whose workers are threads of the standard library, waiting is yielding and memory is
// kept.
#pragma once

#include <stddef.h>
#include <stdint.h>

#if defined(WHITTLE_STUB)
#include "packer/stub/base/linux.h"
#endif

namespace whittle::stub {

#if !defined(WHITTLE_STUB)
void yield_to_others();  // packer/unpacker.cc
#endif

// Returns once `word` no longer holds `value`, or earlier.
inline void wait_while(const uint32_t& word, uint32_t value) {
#if defined(WHITTLE_STUB)
  sys_futex(&word, kFutexWait, value);
#else
  (void)word, (void)value;
  yield_to_others();
#endif
}

// Wakes everyone who waits for `word`.
inline void wake_waiters(const uint32_t& word) {
#if defined(WHITTLE_STUB)
  sys_futex(&word, kFutexWake, INT32_MAX);
#else
  (void)word;
#endif
}

inline constexpr uintptr_t kLargestPage = 65536;  // of any machine, in bytes

#if defined(WHITTLE_STUB)
// Advice about the whole pages in [begin, end). Any of it may be refused: nothing depends on it.
[[gnu::noinline]] inline void advise(const uint8_t* begin, const uint8_t* end, int advice) {
#if defined(__aarch64__)
  constexpr uint64_t kPage = kLargestPage;
#else
  constexpr uint64_t kPage = 4096;
#endif
  const uint64_t from = (reinterpret_cast<uint64_t>(begin) + kPage - 1) & ~(kPage - 1);
  const uint64_t to = reinterpret_cast<uint64_t>(end) & ~(kPage - 1);
  if (from < to) sys_madvise(from, to - from, advice);
}
#endif

// Nothing in [begin, end) will be read again: whole pages of it need no memory any longer.
inline void release_memory(const uint8_t* begin, const uint8_t* end) {
#if defined(WHITTLE_STUB)
  advise(begin, end, kMadvDontneed);
#else
  (void)begin, (void)end;
#endif
}

// For a reader that reads [kept, …) once, in order, and has come to `at`: gives back what lies
// before `at` as soon as that is `step` bytes, because each call stalls all processors. Returns the
// new beginning of what is kept.
[[gnu::noinline]] inline const uint8_t* release_behind(const uint8_t* kept, const uint8_t* at,
                                                       size_t step) {
  const auto size = static_cast<size_t>(at - kept);
  if (size < step) return kept;
  release_memory(kept, at);
  return kept + size / kLargestPage * kLargestPage;
}

// For a writer that writes [at, end) once, in order: has memory there for the next `step` bytes or
// so, because one call takes less time than a page fault for every page. Returns the end of what is
// there, which is `at` to begin with.
[[gnu::noinline]] inline uint8_t* populate_ahead(uint8_t* there, uint8_t* at, uint8_t* end,
                                                 size_t step) {
#if defined(WHITTLE_STUB)
  if (there < at) there = at;
  if (static_cast<size_t>(there - at) >= step / 2 || there == end) return there;
  uint8_t* next = end;
  if (static_cast<size_t>(end - there) > step) {
    next = there + step - reinterpret_cast<uintptr_t>(there) % kLargestPage;
  }
  advise(there, next, kMadvPopulateWrite);
  return next;
#else
  (void)there, (void)at, (void)step;
  return end;
#endif
}

}  // namespace whittle::stub
