#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# README's tables and the plots are what bench/run --render makes of the committed figures.
set -euo pipefail
command -v python3 >/dev/null || { echo "SKIP: there is no python3"; exit 77; }

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp -r bench README.md "$tree"
"$tree/bench/run" --render >/dev/null
diff README.md "$tree/README.md"
diff -r bench/plots "$tree/bench/plots"
