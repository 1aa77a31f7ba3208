#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# On executables of a list of packages, a few of each kind, `audit` says of hardening what Debian's
# hardening-check says, where both know.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/audited.inc"
need python3 hardening-check

system_programs
second_opinions --sample 4 --each-row hardening-check
