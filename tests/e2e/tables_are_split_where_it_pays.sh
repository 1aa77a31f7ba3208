#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A table is stored as streams only if that saves more than the code that joins them takes in the
# stub: not in a program of some hundred functions, although the streams alone would be smaller than
# the table, but in one of some thousand.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need gcc
need jq

# build NAME COUNT: a program of that many functions, each with a frame to unwind.
build() {
  {
    echo "volatile long sink;"
    for ((i = 0; i < $2; i++)); do
      echo "__attribute__((noinline)) long f$i(long x) { volatile char b[$((8 * (i * 7 % 13 + 1)))];"
      echo "b[x & 7] = x; sink += b[0]; return x * $((i * 37 % 1009)) + sink; }"
    done
    echo "void _start(void) { long v = 1;"
    for ((i = 0; i < $2; i++)); do echo "v += f$i(v);"; done
    echo 'sink = v; __asm__ volatile("syscall" : : "a"(60), "D"(7) : "rcx", "r11", "memory"); }'
  } >"$1.c"
  gcc -O1 -fno-stack-protector -static -nostdlib -o "$1" "$1.c"
}
# regions FILE: how many regions of tables it has.
regions() {
  expect_exit 0 "$WHITTLE" inspect --format json "$1"
  jq '[.packed.streams[] | select(.part > 0 and .part == .part_count)] | length' "$out"
}

build few 300
build many 3000
for name in few many; do
  expect_exit 0 "$WHITTLE" pack -o "$name.packed" "$name"
  expect_exit 7 "./$name.packed"
done
[[ $(regions few.packed) -eq 0 ]] || fail "300 functions: the unwind table is in streams"
[[ $(regions many.packed) -gt 0 ]] || fail "3,000 functions: the unwind table is in one piece"
