// SPDX-License-Identifier: MIT
//
// Where the kernel hands over, and where the stub hands on.
//
// At entry sp points at argc (Linux; the AArch64 supplement of the System V ABI leaves it to the
// system), every other register is zero, and that is how the original must find them: the stack is
// used below it and never above. The last steps cannot run from the stub, since they unmap it; they
// are copied into unused bytes after the program's own code (the "escape") and end in the jump to
// the original entry point.
//
// AArch64 has no jump through memory, so one register still holds the entry point when the program
// begins: x16, which the procedure call standard gives to veneers between a call and its target, so
// that no code expects anything in it. The stub is compiled for general registers only; there are no
// vector registers to clear.
//
// Jumps into the program are `ret`s: where its code is guarded (branch target identification), `br`
// may end only at a landing pad, and an entry point or an escape need not be one.

    .section .text.entry, "ax", %progbits
    .globl whittle_entry
    .hidden whittle_entry
    .type whittle_entry, %function
whittle_entry:
    mov   x0, sp
    sub   sp, sp, #32               // room for the handoff, 16-byte aligned
    bl    whittle_unfold
    adr   x1, whittle_entry         // the header ends where the stub of the file begins
    adr   x2, whittle_unfolded
    sub   x2, x2, x1
    add   x2, x2, x0
    mov   x0, x1
    br    x2
    .size whittle_entry, . - whittle_entry

    .text
    .type whittle_unfolded, %function
whittle_unfolded:
    add   x1, sp, #32
    mov   x2, sp
    bl    whittle_start
    ldp   x16, x17, [sp]            // handoff.entry, handoff.escape
    ldp   x0, x1, [sp, #16]         // munmap(handoff.unmap_address, handoff.unmap_size)
    add   sp, sp, #32
    mov   x8, #215
    mov   x2, #0
    mov   x3, #0
    mov   x4, #0
    mov   x5, #0
    mov   x6, #0
    mov   x7, #0
    mov   x9, #0
    mov   x10, #0
    mov   x11, #0
    mov   x12, #0
    mov   x13, #0
    mov   x14, #0
    mov   x15, #0
    mov   x18, #0
    mov   x19, #0
    mov   x20, #0
    mov   x21, #0
    mov   x22, #0
    mov   x23, #0
    mov   x24, #0
    mov   x25, #0
    mov   x26, #0
    mov   x27, #0
    mov   x28, #0
    mov   x29, #0
    mov   x30, #0
    msr   nzcv, xzr
    ret   x17
    .size whittle_unfolded, . - whittle_unfolded

// Copied to the escape address, or run in place where there is none and the stub stays mapped. A
// system call changes x0 alone.
    .globl whittle_escape
    .hidden whittle_escape
    .type whittle_escape, %function
whittle_escape:
    svc   #0
    mov   x0, #0
    mov   x1, #0
    mov   x8, #0
    mov   x17, #0
    ret   x16
    .globl whittle_escape_end
    .hidden whittle_escape_end
whittle_escape_end:
    .size whittle_escape, . - whittle_escape

    .section .note.GNU-stack, "", %progbits
