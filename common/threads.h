// SPDX-License-Identifier: MIT
//
// Work shared among threads, for as long as the work lasts. A system may refuse a thread (a limit
// of processes, of memory): then those that there are do it all, the caller alone if need be. A
// tool that runs in somebody's build container is no place to insist.
#pragma once

#include <functional>

namespace whittle {

// How many processors there are; at least 1.
unsigned processor_count();

// Calls `work` on up to `count` threads at once and returns when every call has returned. The calls
// share out the work themselves; one of them alone must be able to do all of it. `meanwhile`, if
// given, is called by this thread about ten times a second. Rethrows what a call threw.
void run_on_threads(unsigned count, const std::function<void()>& work,
                    const std::function<void()>& meanwhile = {});

}  // namespace whittle
