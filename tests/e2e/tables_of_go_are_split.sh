#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Go's function table is stored in streams although for some functions the tables of files and lines are
# the same bytes, which the linker then stores once. `inspect --streams` says why a table is stored as
# plain bytes: for one of an older Go, and for one that another tool has changed.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need go jq python3

# One line a function: where the line's number is that of the file, the two tables are equal.
mkdir src
calls=''
for f in {1..12}; do
  echo 'package main' >"src/f$f.go"
  for l in {2..14}; do
    body=x
    for ((k = 1; k <= f + l; k++)); do body="($body*$((k + 2))^x>>$((k % 7 + 1)))"; done
    echo "func F${f}_$l(x int) int { if x < 0 { return x }; return $body }" >>"src/f$f.go"
    calls+=" s += F${f}_$l(s);"
  done
done
echo "package main; import \"os\"; func main() { s := len(os.Args); $calls println(s) }" >src/main.go
printf 'module m\ngo 1.18\n' >src/go.mod
(cd src && CGO_ENABLED=0 go build -trimpath -gcflags=-l -ldflags "-s -w" -o ../prog .)

# go_parts FILE: how many streams hold its Go function table.
go_parts() {
  expect_exit 0 "$WHITTLE" inspect --streams --format json "$1"
  jq '[.packed.streams[] | select(.holds == "Go function table")] | length' "$out"
}

pack prog -o packed
[[ $(go_parts packed) -gt 0 ]] || fail "the table is stored as plain bytes: $(jq .packed.plain_tables "$out")"
[[ $(jq '.packed.plain_tables | length' "$out") -eq 0 ]] || fail "a table is called plain: $(<"$out")"
expect_exit 0 ./prog
mv "$err" expected
expect_exit 0 ./packed
same "$err" expected
expect_exit 0 python3 -B "$SOURCE/tests/unpack.py" packed unpacked
same unpacked prog "what a reader that follows FORMAT.md makes of it, and the original"

# A function whose tables lie outside the table's own: its _func record is changed in the file.
python3 - prog changed <<'PYTHON'
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
table = max(data.find(bytes.fromhex(f"{magic}ffffff00000108")) for magic in ("f0", "f1"))
functab = table + struct.unpack_from("<Q", data, table + 64)[0]
function = functab + struct.unpack_from("<I", data, functab + 8 * 100 + 4)[0]
struct.pack_into("<I", data, function + 24, 0x0fffffff)
open(sys.argv[2], "wb").write(data)
PYTHON
chmod +x changed
pack changed -o changed.packed
[[ $(go_parts changed.packed) -eq 0 ]] || fail "a damaged table is split"
jq -e '.packed.plain_tables[0] | .what == "Go function table" and
       (.why | test("^function 100 [(].+[)] refers to"))' "$out" >/dev/null ||
  fail "the reason does not name function 100: $(jq .packed.plain_tables "$out")"
expect_exit 0 "$WHITTLE" inspect --streams changed.packed
grep -q '^  stored as plain bytes:$' "$out" || fail "the text has no list of plain tables"
grep -q '^    function 100 (.*) refers to something beyond the table' "$out" || fail "no reason: $(<"$out")"

corpus esbuild-linux-64 bin/esbuild
pack "$original" -o old.packed
expect_exit 0 "$WHITTLE" inspect --streams old.packed
grep -q '^    the table is of Go 1.16 or 1.17; ' "$out" || fail "no reason: $(tail -n 5 "$out")"
