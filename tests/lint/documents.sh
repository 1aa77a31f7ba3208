#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The tables of README.md and docs/ and the plots are what bench/run --render and bench/audit --render make
# of the committed figures; the table of refusals has every code that the packer gives; links between
# documents lead somewhere.
set -euo pipefail

codes() { tr '\n' ' ' <<<"$(find packer -name '*.cc' -exec cat {} +)" | grep -oE "(Refusal ?\{|refuse\(\{) *\"[a-z-]+\"" | grep -oE '[a-z-]+"$' | tr -d '"' | sort -u; }
documented() { sed -n 's/^| `\([a-z-]*\)` .*/\1/p' docs/refusals.md | sort; }
[[ $(codes | wc -l) -gt 20 ]] || { echo "the packer's codes were not found" >&2; exit 1; }
diff <(codes) <(documented)

# link FILE TARGET: the file is there, and so is the heading (as GitHub spells it).
link() {
  local file="${2%%#*}" heading="${2#*#}" page
  if [[ -z "$file" ]]; then page="$1"; else page="$(dirname "$1")/$file"; fi
  [[ -e "$page" ]] || { echo "$1 links to $2, which is not there" >&2; return 1; }
  [[ "$2" == *#* ]] || return 0
  sed -n 's/^#* //p' "$page" | tr '[:upper:]' '[:lower:]' | sed "s/[^a-z0-9 _-]//g; s/ /-/g" | grep -qxF "$heading" ||
    { echo "$1 links to $2, which is no heading there" >&2; return 1; }
}
bad=0
while IFS= read -r page; do
  while IFS= read -r target; do
    link "$page" "$target" || bad=1
  done < <(grep -oE '\]\([^)]+\)' "$page" | sed 's/^](//; s/)$//' | grep -v '^https\?:')
done < <(git ls-files --cached --others --exclude-standard -- '*.md')
((bad == 0)) || exit 1

command -v python3 >/dev/null || { echo "SKIP: there is no python3"; exit 77; }

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp -r bench docs README.md "$tree"
"$tree/bench/run" --render >/dev/null
"$tree/bench/audit" --render
diff README.md "$tree/README.md"
diff -r docs "$tree/docs"
diff -r -x __pycache__ bench "$tree/bench"
