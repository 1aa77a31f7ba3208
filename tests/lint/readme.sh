#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# README's tables and the plots are what bench/run --render and bench/audit --render make of the
# committed figures, and its table of refusals has every code that the packer gives.
set -euo pipefail

codes() { tr '\n' ' ' <<<"$(cat packer/*.cc)" | grep -oE "(Refusal ?\{|refuse\(\{) *\"[a-z-]+\"" | grep -oE '[a-z-]+"$' | tr -d '"' | sort -u; }
documented() { sed -n '/^## What pack refuses/,/^## Limits/s/^| `\([a-z-]*\)` .*/\1/p' README.md | sort; }
[[ $(codes | wc -l) -gt 20 ]] || { echo "the packer's codes were not found" >&2; exit 1; }
diff <(codes) <(documented)

command -v python3 >/dev/null || { echo "SKIP: there is no python3"; exit 77; }

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp -r bench README.md "$tree"
"$tree/bench/run" --render >/dev/null
"$tree/bench/audit" --render
diff README.md "$tree/README.md"
diff -r -x __pycache__ bench "$tree/bench"
