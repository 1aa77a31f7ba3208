#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# AArch64 code that asks for branch target identification is guarded in packed form as in the
# original: an indirect branch to what is no landing pad ends in SIGILL. Where the processor knows no
# guard, both run.
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
source "$SOURCE/tests/e2e/machines.inc"
subject_name=branch-guard
need aarch64-linux-gnu-gcc python3
use_machine aarch64
original="$scratch/original"
aarch64-linux-gnu-gcc -march=armv8.5-a -nostdlib -static -Wl,-z,max-page-size=65536 -o "$original" \
  "$SOURCE/tests/e2e/branch_guard.S"
pack_original
python3 "$SOURCE/tests/unpack.py" "$packed" unpacked-by-python || fail "the second reader refuses it"
same unpacked-by-python "$original"

for page in "${page_sizes[@]}"; do
  for file in "$original" "$packed"; do
    QEMU_CPU=max expect_exit $((128 + 4)) program
    QEMU_CPU=max expect_exit 7 program to-a-landing-pad
    QEMU_CPU=cortex-a57 expect_exit 0 program
  done
done

# Without the note nothing is guarded, packed or not.
sed 's/0xc0000000, 4, 1, 0/0xc0000000, 4, 0, 0/' "$SOURCE/tests/e2e/branch_guard.S" >plain.S
aarch64-linux-gnu-gcc -march=armv8.5-a -nostdlib -static -Wl,-z,max-page-size=65536 -o "$original" plain.S
pack_original
for file in "$original" "$packed"; do QEMU_CPU=max expect_exit 0 program; done
