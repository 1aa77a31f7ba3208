// SPDX-License-Identifier: MIT
//
// Makes written bytes executable as written.
//
// x86-64 processors notice when code is written and fetch it anew. AArch64 and RISC-V ones need
// not: what was stored may still sit in the data cache, and the instruction cache may hold what was
// at the address before. A program that writes code must say so before it jumps there.
//
// AArch64 (Arm Architecture Reference Manual, B2.7.4 "concurrent modification and execution of
// instructions"): clean the data cache line by line to where both caches meet, then drop the lines
// of the instruction cache, each step completed by a barrier, and discard what this core has
// fetched. CTR_EL0 tells the sizes of the lines, which differ between cores of one machine (Linux
// then shows the smallest), and whether either step is needed. The maintenance instructions reach
// all cores; another core that runs a thread of the program later discards what it has fetched when
// the kernel returns to that thread.
//
// RISC-V (unprivileged specification, Zifencei): `fence.i` acts on the processor that executes it
// and no other, and the kernel may move a thread at any moment. So Linux has riscv_flush_icache,
// which does it wherever the process runs now or later. The instruction is executed too: emulators
// and filters that do not know the call answer with an error, and then it is all there is.
//
// Linux makes a page coherent itself when it first maps it executable, but promises that for file
// mappings only, so the memfd way needs nothing.
#pragma once

#include <stdint.h>

#include "packer/stub/base/linux.h"

namespace whittle::stub {

#if defined(__aarch64__)

inline void make_executable_as_written(uint64_t begin, uint64_t end) {
  uint64_t cache_type;
  asm volatile("mrs %0, ctr_el0" : "=r"(cache_type));
  const uint64_t data_line = uint64_t{4} << (cache_type >> 16 & 15);
  const uint64_t instruction_line = uint64_t{4} << (cache_type & 15);
  const bool data_is_coherent = (cache_type >> 28 & 1) != 0;           // IDC
  const bool instructions_are_coherent = (cache_type >> 29 & 1) != 0;  // DIC
  if (!data_is_coherent) {
    for (uint64_t at = begin & ~(data_line - 1); at < end; at += data_line) {
      asm volatile("dc cvau, %0" : : "r"(at) : "memory");
    }
  }
  asm volatile("dsb ish" : : : "memory");
  if (!instructions_are_coherent) {
    for (uint64_t at = begin & ~(instruction_line - 1); at < end; at += instruction_line) {
      asm volatile("ic ivau, %0" : : "r"(at) : "memory");
    }
  }
  asm volatile("dsb ish\n\tisb" : : : "memory");
}

#elif defined(__riscv)

inline void make_executable_as_written(uint64_t begin, uint64_t end) {
  asm volatile("fence.i" : : : "memory");
  syscall3(kSysRiscvFlushIcache, static_cast<long>(begin), static_cast<long>(end), 0);
}

#else

inline void make_executable_as_written(uint64_t, uint64_t) {}

#endif

}  // namespace whittle::stub
