// SPDX-License-Identifier: MIT
//
// Whether indirect branches in this program may end anywhere: exit 0 if so, SIGILL where its code is
// guarded (AArch64 branch target identification). The entry point is no landing pad, on purpose.
// With an argument it branches to a landing pad and exits with 7.
    .text
    .globl _start
_start:
    ldr   x0, [sp]
    adr   x16, unmarked
    cmp   x0, #1
    b.eq  1f
    adr   x16, marked
1:  br    x16
marked:
    bti   c
    mov   x0, #7
    b     leave
unmarked:
    mov   x0, #0
leave:
    mov   x8, #93
    svc   #0

    // GNU_PROPERTY_AARCH64_FEATURE_1_AND: branch target identification.
    .section .note.gnu.property, "a"
    .balign 8
    .4byte 4, 16, 5
    .asciz "GNU"
    .4byte 0xc0000000, 4, 1, 0

    .section .rodata
    .fill 65536, 1, 'x'             // worth packing
