#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A packed program for aarch64 or riscv64 begins with every register zero, as the kernel leaves them,
# but for the stack pointer and the one that the last jump goes through (x16; t2, which is x7).
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
source "$SOURCE/tests/e2e/machines.inc"
subject_name=registers
declare -A jumps_through=([aarch64]=x16 [riscv64]=x07)

for machine in "${other_machines[@]}"; do
  need "$machine-linux-gnu-gcc"
  use_machine "$machine"
  original="$scratch/original"
  "$machine-linux-gnu-gcc" -O2 -ffreestanding -nostdlib -static -fpie -Wl,-pie,--no-dynamic-linker -o "$original" \
    "$SOURCE/tests/e2e/entry_registers.c"
  pack_original
  for page in "${page_sizes[@]}"; do
    file="$original"
    expect_exit 2 program one 'two words'
    [[ "$(<"$out")" == $'\none\ntwo words' ]] || fail "the original on $machine prints $(<"$out")"
    file="$packed"
    expect_exit 2 program one 'two words'
    [[ "$(<"$out")" == "${jumps_through[$machine]} "$'\none\ntwo words' ]] ||
      fail "the packed form on $machine, pages of $page, prints $(<"$out")"
  done
done
