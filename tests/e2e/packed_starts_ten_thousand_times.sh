#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every start of a packed program succeeds: 10,000 in a row, of a program that is loaded where it was
# linked to, of a position-independent one and of one with threads, and 64 at once, a hundred times.
# at each level
# label: slow
# timeout: 3600
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
source "$SOURCE/tests/e2e/starts.inc"
for name in busybox hello-pie hello-http; do
  use "$name"
  start_in_a_row 10000
  for ((round = 0; round < 100; round++)); do start_at_once 64; done
done
