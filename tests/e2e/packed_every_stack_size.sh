#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The stack that a program is handed may end at any distance from a 16-byte boundary and from a page's
# end: a variable of every size from none to two pages in steps of one word, an argument of every length
# to 300 bytes and then in steps of one word to two pages, and every number of variables from 0 to 300.
# label: slow
# timeout: 3600
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
subject_name="$1"
subject "$subject_name"

word=8 page=4096
for ((size = 0; size <= 2 * page; size += word)); do
  export FILLER
  printf -v FILLER '%*s' "$size" ''
  expect_same_behaviour "with a variable of $size bytes" probe "$subject_name" x
done
unset FILLER

for ((size = 0; size <= 2 * page; size += size < 300 ? 1 : word)); do
  printf -v argument '%*s' "$size" ''
  expect_same_behaviour "with an argument of $size bytes" probe "$subject_name" "${argument// /a}"
done
for ((count = 0; count <= 300; count++)); do
  expect_same_behaviour "with $count variables more" probe "$subject_name" x
  export "V$count=x"
done
