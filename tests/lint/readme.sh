#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# README's tables and the plots are what bench/run --render and bench/audit --render make of the
# committed figures.
set -euo pipefail
command -v python3 >/dev/null || { echo "SKIP: there is no python3"; exit 77; }

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp -r bench README.md "$tree"
"$tree/bench/run" --render >/dev/null
"$tree/bench/audit" --render
diff README.md "$tree/README.md"
diff -r -x __pycache__ bench "$tree/bench"
