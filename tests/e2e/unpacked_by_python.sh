#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A second reader, which follows packer/FORMAT.md and shares no code with the packer, gets the same
# program out of a packed file, for every machine, and notices one wrong bit anywhere.
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need python3

expect_given_back() {
  expect_exit 0 python3 -B "$SOURCE/tests/unpack.py" "$packed" unpacked
  same unpacked "$original"
}

for name in hello-c hello-pie hello-musl busybox; do
  subject "$name"
  expect_given_back
done

others=0
for machine in aarch64 riscv64; do
  command -v "$machine-linux-gnu-gcc" >/dev/null || continue
  original="$scratch/hello-$machine" packed="$scratch/hello-$machine.packed"
  "$machine-linux-gnu-gcc" -O2 -static -o "$original" "$SOURCE/samples/hello-c/hello.c"
  expect_exit 0 pack "$original" -o "$packed"
  expect_given_back
  others=$((others + 1))
done

subject hello-musl
size=$(stat -c %s "$packed")
rm -f unpacked
for ((i = 0; i < 40; i++)); do
  at=$((size * i / 40 + i % 7))
  cp "$packed" damaged
  byte=$(od -An -tu1 -j "$at" -N 1 damaged)
  printf '%b' "\\x$(printf %02x $((byte ^ (1 << i % 8))))" |
    dd of=damaged bs=1 seek="$at" conv=notrunc status=none
  expect_exit 1 python3 -B "$SOURCE/tests/unpack.py" damaged unpacked
  [[ $(wc -l <"$err") -eq 1 && "$(<"$err")" == "unpack.py: damaged: "* ]] ||
    fail "damaged at $at: prints $(<"$err")"
  [[ ! -e unpacked ]] || fail "damaged at $at: an output"
done
head -c $((size / 2)) "$packed" >damaged
expect_exit 1 python3 -B "$SOURCE/tests/unpack.py" damaged unpacked

[[ $others -eq 2 ]] || skip "all agreed, but a cross compiler for aarch64 or riscv64 is missing"
