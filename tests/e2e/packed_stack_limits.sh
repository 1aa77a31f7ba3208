#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A packed program starts with a small stack, with a huge one, and with an unlimited one, under which the
# kernel lays out the address space from the bottom up.
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
subject_name="$1"
subject "$subject_name"

with_stack() {  # with_stack KILOBYTES COMMAND...
  (ulimit -S -s "$1" && "${@:2}")
}
(ulimit -S -s unlimited) 2>/dev/null || skip "the hard limit of the stack is $(ulimit -H -s) kB"
for kilobytes in 132 256 1024 65536 $((1 << 20)) $((1 << 30)) unlimited; do
  expect_same_behaviour "with a stack of $kilobytes kB" \
    with_stack "$kilobytes" probe "$subject_name" x
done
