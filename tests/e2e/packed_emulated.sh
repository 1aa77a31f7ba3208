#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A packed program runs in qemu's emulation of a processor, and in valgrind, which finds nothing wrong
# with the code that unpacks it.
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need valgrind qemu-x86_64-static
subject_name="$1"
subject "$subject_name"
start() { probe "$subject_name" x; }

# shellcheck disable=SC2317  # called by probe
program() { (exec -a "$subject_name" qemu-x86_64-static -0 "$subject_name" "$file" "$@"); }
expect_same_behaviour "in qemu" start
[[ $(<"$scratch/.original.seen/status") -eq 0 ]] || fail "the original does not run: $(<"$scratch/.original.seen/stderr")"

# Go programs use instructions that valgrind does not know where the processor has them (rdtscp,
# AVX-512); told not to, they keep to the oldest ones.
export GODEBUG=cpu.all=off
program() { (cd / && exec valgrind -q --log-file="$scratch/log.$(stat -c %i "$file")" "$file" "$@"); }
expect_same_behaviour "in valgrind" start
[[ $(<"$scratch/.original.seen/status") -eq 0 ]] || fail "the original does not run: $(<"$scratch/.original.seen/stderr")"
log="log.$(stat -c %i "$scratch/.packed")"
[[ -e "$log" ]] || fail "valgrind wrote no log"
# Every error must lie in the program's own code. What unpacks it runs first where the file is mapped,
# behind the image, and then in memory of its own: valgrind maps that from 0x4000000 on, and the images
# of all subjects below.
if grep -F -B 3 -A 3 "(in $file)" "$log"; then fail "valgrind finds this in the code that unpacks"; fi
if grep -E -B 3 -A 3 '    at 0x([4-9A-F][0-9A-F]{6}|[0-9A-F]{8,}): ' "$log"; then
  fail "valgrind finds this in the code that unpacks, or in code that no program here has"
fi
