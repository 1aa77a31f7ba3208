#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# On all executables of a list of packages, `audit` says of hardening what hardening-check says.
# label: slow
# timeout: 900
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/audited.inc"
need python3 hardening-check

system_programs
second_opinions --each-row hardening-check
