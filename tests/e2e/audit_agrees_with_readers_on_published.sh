#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# On published programs of three machines, `audit` says what readelf, file and hardening-check say.
# ldd is not asked: it may run what it is given.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/audited.inc"
need python3 readelf file hardening-check

published_programs
second_opinions readelf,file,hardening-check
