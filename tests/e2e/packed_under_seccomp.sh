#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A packed program starts under a container engine's system-call filter, and where calls that it makes
# itself or that the program makes are refused: it needs no memfd, no madvise, no thread, no process.
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need gcc
subject_name="$1"
subject "$subject_name"
gcc -O1 -static -o restrict "$SOURCE/tests/e2e/restrict.c"

restrictions=()
program() { (exec "$scratch/restrict" "${restrictions[@]}" "$file" "$subject_name" "$@"); }

start() { first_line_of probe "$subject_name" x; }
for restriction in -c \
  -rEPERM:memfd_create,madvise -rENOSYS:memfd_create,madvise -rKILL:memfd_create,sched_setaffinity \
  -rEPERM:clone,clone3 -rENOSYS:clone,clone3; do
  restrictions=("$restriction")
  expect_same_behaviour "under restrict $restriction" start
  status=$(<"$scratch/.original.seen/status")
  [[ $status -ne 96 && $status -ne 97 ]] || fail "restrict $restriction: $(<"$scratch/.original.seen/stderr")"
  [[ $restriction == *clone* || $status -eq 0 ]] ||
    fail "restrict $restriction: the original fails: $(<"$scratch/.original.seen/stderr")"
done
