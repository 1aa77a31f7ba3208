#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The stack that a program is handed may end at any distance from a 16-byte boundary and from a page's
# end: every length of an argument from 0 to 300 bytes, and every number of variables from 0 to 300.
# label: slow
# for each subject
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
subject_name="$1"
subject "$subject_name"

argument=
for ((size = 0; size <= 300; size++)); do
  expect_same_behaviour "with an argument of $size bytes" probe "$subject_name" "$argument"
  argument+=a
done
for ((count = 0; count <= 300; count++)); do
  expect_same_behaviour "with $count variables more" probe "$subject_name" x
  export "V$count=x"
done
