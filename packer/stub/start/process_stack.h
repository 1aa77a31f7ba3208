// SPDX-License-Identifier: MIT
//
// The stack of a process as the kernel laid it out (System V ABI: process initialization).
#pragma once

#include <stdint.h>

#include "packer/stub/base/linux.h"

namespace whittle::stub {

// argc, argv…, NULL, envp…, NULL, auxiliary vector…, AT_NULL, as the kernel laid them out.
struct ProcessStack {
  explicit ProcessStack(uint64_t* sp) {
    uint64_t* at = sp + 1 + sp[0] + 1;
    while (*at++ != 0) {
    }
    auxv = at;
  }

  uint64_t* find(uint64_t type) const {
    for (uint64_t* entry = auxv; entry[0] != kAuxNull; entry += 2) {
      if (entry[0] == type) return entry + 1;
    }
    return nullptr;
  }
  void patch(uint64_t type, uint64_t value) const {
    if (uint64_t* found = find(type)) *found = value;
  }

  uint64_t* auxv;
};

}  // namespace whittle::stub
