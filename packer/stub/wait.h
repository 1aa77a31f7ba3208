// SPDX-License-Identifier: MIT
//
// How one worker waits for another: on a futex in the stub, by yielding in whittle, where what
// waits is a thread of the standard library's.
#pragma once

#include <stdint.h>

#if defined(WHITTLE_STUB)
#include "packer/stub/linux.h"
#else
#include <thread>
#endif

namespace whittle::stub {

// Returns once `word` no longer holds `value`, or earlier.
inline void wait_while(const uint32_t& word, uint32_t value) {
#if defined(WHITTLE_STUB)
  sys_futex(&word, kFutexWait, value);
#else
  (void)word, (void)value;
  std::this_thread::yield();
#endif
}

// Lets everyone who waits for `word` look again.
inline void wake_waiters(const uint32_t& word) {
#if defined(WHITTLE_STUB)
  sys_futex(&word, kFutexWake, INT32_MAX);
#else
  (void)word;
#endif
}

}  // namespace whittle::stub
