#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The second reader agrees on every program that the tests pack, the largest too.
# label: slow
# timeout: 3600
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need python3
subject "$1"
expect_exit 0 python3 -B "$SOURCE/tests/unpack.py" "$packed" unpacked
same unpacked "$original"
