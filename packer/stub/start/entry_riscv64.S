// SPDX-License-Identifier: MIT
//
// Where the kernel hands over, and where the stub hands on.
//
// At entry sp points at argc, every other register is zero (Linux; the RISC-V supplement of the
// System V ABI leaves it to the system), and that is how the original must find them: the stack is
// used below it and never above. The last steps cannot run from the stub, since they unmap it; they
// are copied into unused bytes after the program's own code (the "escape") and end in the jump to
// the original entry point.
//
// RISC-V has no jump through memory, so one register still holds the entry point when the program
// begins: t2, a temporary in which no code expects anything, and the one for jumps whose target was
// checked by software where landing pads are enforced (Zicfilp). The stub is compiled without
// floating point and vectors; there are no such registers to clear.

    .option norelax
    .section .text.entry, "ax", @progbits
    .globl whittle_entry
    .hidden whittle_entry
    .type whittle_entry, @function
whittle_entry:
    mv    a0, sp
    addi  sp, sp, -32               // room for the handoff, 16-byte aligned
    call  whittle_unfold
    lla   a1, whittle_entry         // the header ends where the stub of the file begins
    lla   a2, whittle_unfolded
    sub   a2, a2, a1
    add   a2, a2, a0
    mv    a0, a1
    jr    a2
    .size whittle_entry, . - whittle_entry

    .text
    .type whittle_unfolded, @function
whittle_unfolded:
    addi  a1, sp, 32
    mv    a2, sp
    call  whittle_start
    ld    t2, 0(sp)                 // handoff.entry
    ld    t1, 8(sp)                 // handoff.escape
    ld    a0, 16(sp)                // munmap(handoff.unmap_address, handoff.unmap_size)
    ld    a1, 24(sp)
    addi  sp, sp, 32
    li    a7, 215
    li    ra, 0
    li    gp, 0
    li    tp, 0
    li    t0, 0
    li    s0, 0
    li    s1, 0
    li    a2, 0
    li    a3, 0
    li    a4, 0
    li    a5, 0
    li    a6, 0
    li    s2, 0
    li    s3, 0
    li    s4, 0
    li    s5, 0
    li    s6, 0
    li    s7, 0
    li    s8, 0
    li    s9, 0
    li    s10, 0
    li    s11, 0
    li    t3, 0
    li    t4, 0
    li    t5, 0
    li    t6, 0
    jr    t1
    .size whittle_unfolded, . - whittle_unfolded

// Copied to the escape address, or run in place where there is none and the stub stays mapped. A
// system call changes a0 alone.
    .globl whittle_escape
    .hidden whittle_escape
    .type whittle_escape, @function
whittle_escape:
    ecall
    li    a0, 0
    li    a1, 0
    li    a7, 0
    li    t1, 0
    jr    t2
    .globl whittle_escape_end
    .hidden whittle_escape_end
whittle_escape_end:
    .size whittle_escape, . - whittle_escape

    .section .note.GNU-stack, "", @progbits
