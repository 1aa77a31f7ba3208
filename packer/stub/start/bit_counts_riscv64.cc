// SPDX-License-Identifier: MIT
//
// The functions that a compiler calls to count zero bits where the processor cannot: RISC-V has the
// instructions in an extension (Zbb) that a program may not take for granted, and a stub has no
// libgcc.
#include <stdint.h>

extern "C" {

// Zero bits above the highest set bit; `value` is not 0.
int __clzdi2(uint64_t value) {
  int count = 0;
  for (int width = 32; width != 0; width >>= 1) {
    if (value >> (64 - width) == 0) {
      count += width;
      value <<= width;
    }
  }
  return count;
}

// Zero bits below the lowest set bit; `value` is not 0.
int __ctzdi2(uint64_t value) { return 63 - __clzdi2(value & (0 - value)); }

}  // extern "C"
