#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The section .dep-v0, in which cargo-auditable lists a Rust program's crates, is in the packed and in
# the stripped program what it was in the original. (The program here is C with such a section, as
# part of its loaded data, where the linker puts it, or beside it.)
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need gcc objcopy

head -c 900 /dev/urandom >crates
cat >program.c <<'END'
#include <stdio.h>
__attribute__((section(".dep-v0"), used)) static const unsigned char crates[] = {
#include "crates.inc"
};
int main(void) { puts("runs"); return 0; }
END
od -An -v -tu1 crates | sed 's/\([0-9]\+\)/\1,/g' >crates.inc
gcc -O1 -static -o loaded program.c
sed -i '/^__attribute/,/^};/d' program.c
gcc -O1 -static -o beside program.c
objcopy --add-section .dep-v0=crates beside

expect_crates() {  # expect_crates PROGRAM
  objcopy --dump-section .dep-v0=found "$1" /dev/null 2>"$err" || fail "$1: $(<"$err")"
  [[ ! -s "$err" ]] || fail "$1: objcopy warns: $(<"$err")"
  same crates found "$1 has other crates"
  rm found
  [[ "$(./"$1")" == runs ]] || fail "$1 does not run"
}

for program in loaded beside; do
  expect_crates $program
  "$WHITTLE" strip --quiet $program -o $program.stripped
  expect_crates $program.stripped
  for form in "$program" "$program.stripped"; do
    "$WHITTLE" pack --quiet "$form" -o "$form.packed"
    expect_crates "$form.packed"
    "$WHITTLE" unpack --quiet "$form.packed" -o "$form.unpacked"
    same "$form" "$form.unpacked"
  done
  "$WHITTLE" pack --quiet --strip $program -o $program.packed
  expect_crates $program.packed
done
