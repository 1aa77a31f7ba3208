// SPDX-License-Identifier: MIT
//
// Names the registers, but for the stack pointer, that are not zero when the program begins, then
// its arguments, and ends with their number. Position-independent, for aarch64 and riscv64, without
// libc.
#include <stdint.h>

#if defined(__aarch64__)
#define SAVE_PAIR(a, b) "stp x" #a ", x" #b ", [sp, #-16]!\n"
#define SAVE_VECTORS(a, b) "stp q" #a ", q" #b ", [sp, #-32]!\n"
asm(".globl _start\n_start:\n" SAVE_PAIR(30, 30) SAVE_PAIR(28, 29) SAVE_PAIR(26, 27)
        SAVE_PAIR(24, 25) SAVE_PAIR(22, 23) SAVE_PAIR(20, 21) SAVE_PAIR(18, 19) SAVE_PAIR(16, 17)
            SAVE_PAIR(14, 15) SAVE_PAIR(12, 13) SAVE_PAIR(10, 11) SAVE_PAIR(8, 9) SAVE_PAIR(6, 7)
                SAVE_PAIR(4, 5) SAVE_PAIR(2, 3) SAVE_PAIR(0, 1) "mov x0, sp\n" SAVE_VECTORS(30, 31)
                    SAVE_VECTORS(28, 29) SAVE_VECTORS(26, 27) SAVE_VECTORS(24, 25)
                        SAVE_VECTORS(22, 23) SAVE_VECTORS(20, 21) SAVE_VECTORS(18, 19)
                            SAVE_VECTORS(16, 17) SAVE_VECTORS(14, 15) SAVE_VECTORS(12, 13)
                                SAVE_VECTORS(10, 11) SAVE_VECTORS(8, 9) SAVE_VECTORS(6, 7)
                                    SAVE_VECTORS(4, 5) SAVE_VECTORS(2, 3)
                                        SAVE_VECTORS(0,
                                                     1) "mov x1, sp\nadd x2, x0, #256\nb begin\n");
enum { kFirst = 0, kCount = 31, kVectorWords = 64 };
static long call(long number, long a, long b, long c) {
  register long x8 asm("x8") = number, x0 asm("x0") = a, x1 asm("x1") = b, x2 asm("x2") = c;
  asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}
#else
asm(".altmacro\n"
    ".macro save_x n\n sd x\\n, (\\n * 8)(sp)\n.endm\n"
    ".macro save_f n\n fsd f\\n, (256 + \\n * 8)(sp)\n.endm\n"
    ".globl _start\n_start:\naddi sp, sp, -512\n"
    ".set i, 0\n.rept 32\n save_x %i\n .set i, i + 1\n.endr\n"
    ".set i, 0\n.rept 32\n save_f %i\n .set i, i + 1\n.endr\n"
    "sd zero, 16(sp)\n"  // x2 is the stack pointer
    "mv a0, sp\naddi a1, sp, 256\naddi a2, sp, 512\ntail begin\n");
enum { kFirst = 0, kCount = 32, kVectorWords = 32 };
static long call(long number, long a, long b, long c) {
  register long a7 asm("a7") = number, a0 asm("a0") = a, a1 asm("a1") = b, a2 asm("a2") = c;
  asm volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
  return a0;
}
#endif

static void print(const char* text) {
  long size = 0;
  while (text[size]) size++;
  call(64, 1, (long)text, size);
}

// Makes the file worth packing.
const volatile char filler[100000] = {1};

__attribute__((used, noreturn)) void begin(const uint64_t* registers, const uint64_t* vectors,
                                           const long* stack) {
  for (int i = kFirst; i < kCount; i++) {
    char name[] = {'x', (char)('0' + i / 10), (char)('0' + i % 10), ' ', 0};
    if (registers[i] != 0) print(name);
  }
  for (int i = 0; i < kVectorWords; i++) {
    if (vectors[i] != 0) print("vector ");
  }
  print("\n");
  for (long i = 1; i < stack[0]; i++) {
    print((const char*)stack[1 + i]);
    print("\n");
  }
  for (;;) call(94, stack[0] - filler[0], 0, 0);
}
