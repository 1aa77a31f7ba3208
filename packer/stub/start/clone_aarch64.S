// SPDX-License-Identifier: MIT
//
// long whittle_clone(flags, stack_end, id, argument): see workers.cc.

    .text
    .globl whittle_clone
    .hidden whittle_clone
    .type whittle_clone, %function
whittle_clone:
    mov   x9, x3                    // a system call keeps it, in both threads
    mov   x3, #0
    mov   x4, x2                    // where the kernel clears the id (and stores it: x2)
    mov   x8, #220
    svc   #0
    cbz   x0, 1f
    ret
1:  mov   x29, #0
    mov   x0, x9
    bl    whittle_worker
    mov   x0, #0
    mov   x8, #93                   // exit, of this thread alone
    svc   #0
    .size whittle_clone, . - whittle_clone

    .section .note.GNU-stack, "", %progbits
