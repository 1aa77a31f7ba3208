#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Code that fills its last page to the last byte leaves no room for the stub's last instructions; the
# stub then stays mapped, and the program runs all the same. So does one with writable code, which
# keeps the protection it asked for.
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need gcc

# build NAME FLAGS FREE: code in a section of these flags, FREE bytes short of the end of a page.
build() {
  cat >"$1.S" <<ASM
.globl _start
.section .code, "$2", @progbits
_start:
  mov \$1, %eax
  mov \$1, %edi
  lea text(%rip), %rsi
  mov \$6, %edx
  syscall
  mov \$60, %eax
  mov \$7, %edi
  syscall
  .balign 8
text: .ascii "hello\n"
  .balign 4096, 0x90
  .skip 8192 - $3, 0x90
.data
  .rept 4000
  .quad 0x1122334455667788
  .endr
ASM
  gcc -nostdlib -static -Wl,-z,separate-code -Wl,--no-warn-rwx-segments -o "$1" "$1.S"
}

build full ax 0
build almost ax 31
build room ax 32
build writable awx 0
for program in full almost room; do
  pack "$program" -o "$program.packed"
  run "./$program.packed"
  [[ $status -eq 7 && $(cat "$out") == hello ]] || fail "$program: status $status: $(cat "$err")"
done

"$WHITTLE" pack writable -o writable.packed >result
"$WHITTLE" pack --check writable >checked
"$WHITTLE" inspect writable >inspected
grep -q "warning: .*writable and executable" result || fail "no warning: $(cat result)"
grep -q "warning: .*writable and executable" checked || fail "no warning beforehand: $(cat checked)"
grep -q "when packed .*writable and executable" inspected || fail "no warning: $(cat inspected)"
run ./writable.packed
[[ $status -eq 7 && $(cat "$out") == hello ]] || fail "writable: status $status: $(cat "$err")"
