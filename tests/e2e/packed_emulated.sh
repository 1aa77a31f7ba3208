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
[[ $(<"$scratch/.original.status") -eq 0 ]] || fail "the original does not run: $(<"$scratch/.original.stderr")"

# Valgrind names the file that code is mapped from: of a packed program, only what unpacks it has one.
program() { (cd / && exec valgrind -q --log-file="$scratch/log.$(stat -c %i "$file")" "$file" "$@"); }
expect_same_behaviour "in valgrind" start
[[ $(<"$scratch/.original.status") -eq 0 ]] || fail "the original does not run: $(<"$scratch/.original.stderr")"
log="log.$(stat -c %i "$scratch/.packed")"
[[ -e "$log" ]] || fail "valgrind wrote no log"
if grep -F -B 3 -A 3 "(in $file)" "$log"; then fail "valgrind finds this in the code that unpacks"; fi
