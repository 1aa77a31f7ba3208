// SPDX-License-Identifier: MIT
#include "common/signals.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

namespace whittle {

void restore_default_signals() {
  // The kernel's structure, not glibc's: the action (SIG_DFL is zero), flags, on some machines an
  // address to return to, and a mask of one bit a signal. Zeros mean the same in any of its forms.
  constexpr std::array<unsigned long, 8> kDefaultAction{};
  constexpr unsigned long kMaskSize = (NSIG - 1) / 8;
  // SIGKILL and SIGSTOP always have their default action, and the kernel says no.
  for (int number = 1; number < NSIG; number++) {
    ::syscall(SYS_rt_sigaction, number, kDefaultAction.data(), nullptr, kMaskSize);
  }
}

}  // namespace whittle
