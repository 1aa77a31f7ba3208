// SPDX-License-Identifier: MIT
//
// Signals in a child process, between fork and what it is for.
#pragma once

namespace whittle {

// Gives every signal its default action: also 32 and 33, which glibc keeps for itself, refuses to
// change in sigaction(2), and leaves ignored in programs that its posix_spawn started.
// Async-signal-safe.
void restore_default_signals();

}  // namespace whittle
