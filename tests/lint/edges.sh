#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Includes, CMake's dependencies and ARCHITECTURE.md agree with rooms.toml, and the check that says so does find
# what is wrong.
set -euo pipefail
command -v python3 >/dev/null || { echo "SKIP: there is no python3"; exit 77; }
python3 tests/edges.py .

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp -r rooms.toml ARCHITECTURE.md analyzer cli common config flow imagegen packer report ship "$tree"
python3 tests/edges.py "$tree" >/dev/null

finds() {  # finds FILE OLD NEW TEXT: with NEW for the first OLD in FILE (or at its end) the check says TEXT
  cp "$tree/$1" "$tree/original"
  if [[ -n "$2" ]]; then
    python3 - "$tree/$1" "$2" "$3" <<'END'
import pathlib, sys
page, old, new = pathlib.Path(sys.argv[1]), *sys.argv[2:]
text = page.read_text()
assert old in text, old
page.write_text(text.replace(old, new, 1))
END
  else
    printf '%s\n' "$3" >>"$tree/$1"
  fi
  if python3 tests/edges.py "$tree" >"$tree/said"; then
    echo "$1: nothing is wrong with $3" >&2
    exit 1
  fi
  grep -qF -- "$4" "$tree/said" || { echo "no word of: $4" >&2; cat "$tree/said" >&2; exit 1; }
  mv "$tree/original" "$tree/$1"
}
finds packer/packer.cc '' '#include <LIEF/ELF.hpp>' 'packer/ may not use LIEF'
finds packer/transforms/relocations.cc '' '#include "packer/codecs/mix_encoder.h"' 'may not include packer/codecs'
finds common/file.cc '' '#include "flow/run.h"' 'common/ may not include flow'
finds flow/run.cc '' '#include <archive.h>' 'flow/ may not use libarchive'
finds ship/ship.cc '' '#include "packer/plan.h"' 'packer/plan.h is not a public header of packer/'
finds ship/ship.cc '' '#include "config/build_file.h"' 'ship/ may not include config'
finds packer/stub/start/start.cc '' '#include <string>' 'the stub has no C library'
finds packer/stub/start/start.cc '' '#include "common/error.h"' 'may not include common'
finds common/file.cc '' '#include "error.h"' "includes are written from the project's folder"
finds rooms.toml '["packer/stub/base"]
rooms = []' '["packer/stub/base"]
rooms = ["common"]' '[packer/stub/base] has common, which nothing there includes'
finds report/CMakeLists.txt 'DEPENDS whittle_common' 'DEPENDS whittle_common whittle_flow' 'links flow/ and may not'
finds ARCHITECTURE.md '| common, LIEF, zlib, JSON |' '| common, LIEF, JSON |' '`analyzer/` may include'
