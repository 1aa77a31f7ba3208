#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A packed program whose bytes were damaged says so in one line and ends with status 121; it never
# crashes and never runs the wrong code. verify finds every damage, unpack returns nothing wrong.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
subject hello-pie
size=$(stat -c %s "$packed")
expected=$("$original" x)

damaged_runs=0
for ((i = 0; i < 60; i++)); do
  at=$((size * (i * 97 % 60) / 60 + i * 13 % 61))
  [[ $at -ge 1024 && $at -lt $size ]] || continue  # the ELF header is the kernel's to check
  cp "$packed" damaged
  byte=$(od -An -tu1 -j "$at" -N 1 damaged)
  printf '%b' "\\x$(printf %02x $((byte ^ (1 << i % 8))))" |
    dd of=damaged bs=1 seek="$at" conv=notrunc status=none

  expect_exit "1|4" "$WHITTLE" verify damaged
  expect_error 4 "$WHITTLE" unpack damaged -o unpacked
  [[ ! -e unpacked ]] || fail "unpack of a file damaged at $at left an output"

  run timeout 10 ./damaged x
  if [[ $status -eq 0 ]]; then  # damage that nothing at run time reads
    [[ "$(<"$out")" == "$expected" ]] || fail "damaged at $at: runs with other output"
    continue
  fi
  [[ $status -eq 121 ]] || fail "damaged at $at: exit status $status: $(<"$err")"
  [[ $(wc -l <"$err") -eq 1 && ! -s "$out" ]] || fail "damaged at $at: prints $(<"$err")"
  damaged_runs=$((damaged_runs + 1))
done
[[ $damaged_runs -ge 30 ]] || fail "only $damaged_runs damages were noticed at run time"

# Cut off in the payload: the kernel maps what is there; the rest is not.
for percent in 40 70 95 99; do
  head -c $((size * percent / 100)) "$packed" >damaged && chmod +x damaged
  expect_exit "1|4" "$WHITTLE" verify damaged
  expect_error 4 "$WHITTLE" unpack damaged -o unpacked
done
