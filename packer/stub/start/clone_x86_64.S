// SPDX-License-Identifier: MIT
//
// long whittle_clone(flags, stack_end, id, argument): see workers.cc.

    .text
    .globl whittle_clone
    .hidden whittle_clone
    .type whittle_clone, @function
whittle_clone:
    mov   %rcx, %r9                 // a system call keeps it, in both threads
    mov   %rdx, %r10                // where the kernel clears the id (and stores it: %rdx)
    xor   %r8d, %r8d
    mov   $56, %eax
    syscall
    test  %rax, %rax
    jz    1f
    ret
1:  xor   %ebp, %ebp
    mov   %r9, %rdi
    call  whittle_worker
    mov   $60, %eax                 // exit, of this thread alone
    xor   %edi, %edi
    syscall
    .size whittle_clone, . - whittle_clone

    .section .note.GNU-stack, "", @progbits
