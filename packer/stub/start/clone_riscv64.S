// SPDX-License-Identifier: MIT
//
// long whittle_clone(flags, stack_end, id, argument): see workers.cc.

    .text
    .globl whittle_clone
    .hidden whittle_clone
    .type whittle_clone, @function
whittle_clone:
    mv    t3, a3                    // a system call keeps it, in both threads
    li    a3, 0
    mv    a4, a2                    // where the kernel clears the id (and stores it: a2)
    li    a7, 220
    ecall
    beqz  a0, 1f
    ret
1:  li    s0, 0
    mv    a0, t3
    call  whittle_worker
    li    a0, 0
    li    a7, 93                    // exit, of this thread alone
    ecall
    .size whittle_clone, . - whittle_clone

    .section .note.GNU-stack, "", @progbits
