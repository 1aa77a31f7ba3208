#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every C++ source is in the style of .clang-format.
set -euo pipefail
command -v clang-format >/dev/null || { echo "SKIP: there is no clang-format"; exit 77; }
make --no-print-directory check-format
