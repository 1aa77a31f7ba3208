#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# file, readelf, objdump and nm read a packed program without a warning; the notes that identify the
# original are in it, and whittle's own.
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need file readelf objdump jq
subject_name="$1"
subject "$subject_name"

cp "$packed" subject.packed
for tool in "readelf -a -W" "objdump -h" "objdump -p" "file"; do
  # shellcheck disable=SC2086
  expect_exit 0 $tool subject.packed
  [[ ! -s "$err" ]] || fail "$tool says $(<"$err")"
  ! grep -i -E 'warning|error|corrupt|missing|invalid' "$out" || fail "$tool warns"
done

# notes_of FILE: owner, type and bytes of every note but GNU's that are not the build id.
notes_of() {
  python3 - "$1" <<'PYTHON'
import struct, sys
data = open(sys.argv[1], "rb").read()
phoff, = struct.unpack_from("<Q", data, 32)
phnum, = struct.unpack_from("<H", data, 56)
for i in range(phnum):
    kind, _, offset, _, _, size, _, align = struct.unpack_from("<IIQQQQQQ", data, phoff + 56 * i)
    if kind != 4:
        continue
    at, end, align = offset, offset + size, 8 if align == 8 else 4
    up = lambda value: offset + (value - offset + align - 1) // align * align
    while at + 12 <= end:
        name_size, size, kind = struct.unpack_from("<III", data, at)
        name = data[at + 12:at + 12 + name_size].rstrip(b"\0").decode()
        begin = up(at + 12 + name_size)
        at = up(begin + size)
        if name != "GNU" or kind == 3:
            print(name, kind, data[begin:begin + size].hex())
PYTHON
}
notes_of "$original" >original.notes
notes_of "$packed" >packed.notes
tail -n 1 packed.notes >whittle.note
sed -i '$d' packed.notes
same original.notes packed.notes "the notes differ"
read -r owner kind descriptor <whittle.note
[[ "$owner $kind" == "WHITTLE 22344" ]] || fail "the last note is of $owner, type $kind"
sha256=$(sha256sum "$original" | cut -d ' ' -f 1)
[[ "${descriptor: -160:64}" == "$sha256" ]] || fail "the note has another SHA-256 than $sha256"

"$WHITTLE" inspect --format json "$original" >original.json
"$WHITTLE" inspect --format json "$packed" >packed.json
for field in build_id go_build_id; do
  [[ "$(jq ".binary.$field" original.json)" == "$(jq ".binary.$field" packed.json)" ]] ||
    fail "inspect tells of another $field"
done
[[ "$(jq .binary.overlay_bytes packed.json)" == 0 ]] || fail "inspect sees an overlay"
