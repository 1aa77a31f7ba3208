#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# On the executables of a list of packages, `audit` says what readelf, file and ldd say: the verdict and
# what it rests on, and which libraries the loader finds where. tests/second_opinions.tsv explains the
# differences that there are.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/audited.inc"
need python3 readelf file ldd

system_programs
second_opinions --each-row readelf,file,ldd | tee told
count=$(sed -n 's/^file: \([0-9]*\) programs.*/\1/p' told)
[[ $count -gt 250 ]] || fail "there are only $count executables"
