#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# No room includes what it may not, and the check that says so does find a wrong include.
set -euo pipefail
python3 tests/edges.py .

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
refuses() {  # refuses FILE INCLUDE: an include line that must be found wrong
  mkdir -p "$tree/common" "$tree/flow" "$tree/packer/stub"
  touch "$tree/common/error.h" "$tree/flow/flow.h" "$tree/packer/format.h"
  echo "#include $2" >"$tree/$1"
  if python3 tests/edges.py "$tree" >/dev/null; then
    echo "$1 may include $2" >&2
    exit 1
  fi
  rm -r "${tree:?}"/*
}
refuses packer/packer.cc '<LIEF/ELF.hpp>'
refuses common/file.cc '"flow/flow.h"'
refuses flow/run.cc '<archive.h>'
refuses packer/packer.cc '<zlib.h>'
refuses packer/stub/start/start.cc '<string>'
refuses packer/stub/start/start.cc '"common/error.h"'
refuses common/file.cc '"error.h"'
