// SPDX-License-Identifier: MIT
//
// Where the kernel hands over, and where the stub hands on.
//
// At entry %rsp points at argc (System V ABI, x86-64 supplement, 3.4.1) and that is all the original
// needs to find again: the stack is used below it and never above. The last steps cannot run from
// the stub, since they unmap it; they are copied into unused bytes after the program's own code
// (the "escape") and end in the jump to the original entry point. Every register is zero by then,
// as the kernel leaves them: glibc calls what it finds in %rdx at exit.

    .section .text.entry, "ax", @progbits
    .globl whittle_entry
    .hidden whittle_entry
    .type whittle_entry, @function
whittle_entry:
    mov   %rsp, %r12                // the original stack, kept across the call
    mov   %rsp, %rdi
    sub   $64, %rsp                 // room for the handoff, 16-byte aligned
    call  whittle_unfold
    lea   whittle_entry(%rip), %rdi // the header ends where the stub of the file begins
    lea   whittle_unfolded(%rip), %rcx
    sub   %rdi, %rcx
    add   %rcx, %rax
    jmp   *%rax
    .size whittle_entry, . - whittle_entry

    .text
    .type whittle_unfolded, @function
whittle_unfolded:
    mov   %r12, %rsi
    mov   %rsp, %rdx
    call  whittle_start
    mov   (%rsp), %rax              // handoff.entry
    mov   8(%rsp), %rbx             // handoff.escape
    mov   16(%rsp), %rdi            // handoff.unmap_address
    mov   24(%rsp), %rsi            // handoff.unmap_size
    mov   %r12, %rsp
    mov   %rax, -16(%rsp)           // below the stack, where the escape finds it
    mov   %rbx, -24(%rsp)
    pxor  %xmm0, %xmm0
    pxor  %xmm1, %xmm1
    pxor  %xmm2, %xmm2
    pxor  %xmm3, %xmm3
    pxor  %xmm4, %xmm4
    pxor  %xmm5, %xmm5
    pxor  %xmm6, %xmm6
    pxor  %xmm7, %xmm7
    pxor  %xmm8, %xmm8
    pxor  %xmm9, %xmm9
    pxor  %xmm10, %xmm10
    pxor  %xmm11, %xmm11
    pxor  %xmm12, %xmm12
    pxor  %xmm13, %xmm13
    pxor  %xmm14, %xmm14
    pxor  %xmm15, %xmm15
    xor   %ebx, %ebx
    xor   %ebp, %ebp
    xor   %edx, %edx
    xor   %r8d, %r8d
    xor   %r9d, %r9d
    xor   %r10d, %r10d
    xor   %r12d, %r12d
    xor   %r13d, %r13d
    xor   %r14d, %r14d
    xor   %r15d, %r15d
    mov   $11, %eax                 // munmap(unmap_address, unmap_size)
    jmp   *-24(%rsp)
    .size whittle_unfolded, . - whittle_unfolded

// Copied to the escape address, or run in place where there is none and the stub stays mapped.
    .globl whittle_escape
    .hidden whittle_escape
    .type whittle_escape, @function
whittle_escape:
    syscall
    xor   %eax, %eax
    xor   %ecx, %ecx
    xor   %edi, %edi
    xor   %esi, %esi
    xor   %r11d, %r11d
    push  $0x202                    // the flags of a new program: none but the interrupt flag
    popf
    jmp   *-16(%rsp)
    .globl whittle_escape_end
    .hidden whittle_escape_end
whittle_escape_end:
    .size whittle_escape, . - whittle_escape

    .section .note.GNU-stack, "", @progbits
