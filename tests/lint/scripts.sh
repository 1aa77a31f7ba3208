#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The checker has nothing to say about the shell scripts.
set -euo pipefail
command -v shellcheck >/dev/null || { echo "SKIP: there is no shellcheck"; exit 77; }
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard |
  while IFS= read -r file; do
    if head -n 1 -- "$file" | grep -qE '^#!.*\bbash$' || [[ "$file" == *.inc ]]; then echo "$file"; fi
  done)
[[ ${#scripts[@]} -gt 0 ]]
shellcheck --external-sources "${scripts[@]}"
echo "${#scripts[@]} scripts"
