// SPDX-License-Identifier: MIT
//
// The few things that expanding asks of its surroundings. In the stub they are system calls; in
// whittle, whose workers are threads of the standard library, waiting is yielding and memory is
// kept.
#pragma once

#include <stdint.h>

#if defined(WHITTLE_STUB)
#include "packer/stub/linux.h"
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

// Nothing in [begin, end) will be read again: whole pages of it need no memory any longer.
[[gnu::noinline]] inline void release_memory(const uint8_t* begin, const uint8_t* end) {
#if defined(WHITTLE_STUB)
#if defined(__aarch64__)
  constexpr uint64_t kPage = 65536;  // the largest
#else
  constexpr uint64_t kPage = 4096;
#endif
  const uint64_t from = (reinterpret_cast<uint64_t>(begin) + kPage - 1) & ~(kPage - 1);
  const uint64_t to = reinterpret_cast<uint64_t>(end) & ~(kPage - 1);
  if (from < to) sys_madvise(from, to - from, kMadvDontneed);
#else
  (void)begin, (void)end;
#endif
}

// For a reader that reads [kept, …) once and has come to `at`: gives back what is before `at` as
// soon as there is enough of it for a call, since each call stalls the other processors. Returns
// the new beginning of what is kept.
[[gnu::noinline]] inline const uint8_t* release_behind(const uint8_t* kept, const uint8_t* at) {
  constexpr uint64_t kWorthACall = 64 << 10;
  const auto size = static_cast<uint64_t>(at - kept);
  if (size < kWorthACall) return kept;
  release_memory(kept, at);
  return kept + (size & ~uint64_t{65535});
}

}  // namespace whittle::stub
