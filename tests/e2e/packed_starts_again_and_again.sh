#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every start of a packed program succeeds: 1,000 in a row, and 64 at once. (Address randomisation gives
# each another layout.)
# at each level
# label: slow at other levels
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
source "$SOURCE/tests/e2e/starts.inc"
use busybox
start_in_a_row 1000
start_at_once 64
