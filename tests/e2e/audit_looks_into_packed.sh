#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `whittle audit` tells of a packed program what it tells of the original, and that it is packed: as a
# file, in a folder, in an OCI archive and layout, and in docker's. What UPX packed is called packed
# and nothing else.
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need jq gcc

# Verdict, reasons, needs, hardening and toolchain; offsets are those of another file.
essence() {
  "$WHITTLE" audit --format json "$1" | jq -S '.files[0] | {verdict, reasons, hardening, toolchain,
    machine, stripped, needs: [.needs[] | del(.evidence[].offset)]}'
}

gcc -O1 -static -w -o original "$SOURCE/tests/unit/analyzer/fixtures/needs/shell.c" 2>/dev/null
pack original -o packed
essence original >expected
[[ $(jq -r '.needs[].id' expected) == *needs/shell* ]] || fail "the original needs no shell"
essence packed >found
same expected found "the packed program is told of in other words: $(diff expected found || true)"
size=$(stat -c %s original) digest=$(sha256sum original | cut -d ' ' -f 1)
"$WHITTLE" audit --format json packed | jq -e --arg level "$LEVEL" --arg digest "$digest" --argjson size "$size" \
  '.files[0].packing | .packer == "whittle" and .level == $level and .contents_hidden == false and
  .original_bytes == $size and .original_sha256 == $digest' >/dev/null || fail "packing is told wrongly"
"$WHITTLE" audit packed | grep -q "packed by whittle [0-9.]* ($LEVEL): " || fail "the text says nothing"

# A rule about the contents, and the status.
expect_exit 1 "$WHITTLE" audit --require no-needs:shell packed
expect_exit 0 "$WHITTLE" audit --require static,nx packed

mkdir folder
cp packed folder/app
cp original folder/plain
"$WHITTLE" image -q packed -o app.tar --layout layout
expect_inside() {  # expect_inside PATH NAME
  "$WHITTLE" audit --format json "$1" | jq -r --arg name "$2" '.files[] | select(.path == $name) |
    "\(.verdict) \(.packing.packer) \(.packing.level) \(any(.needs[]; .id == "needs/shell"))"' >line
  [[ $(<line) == "static whittle $LEVEL true" ]] || fail "$2 is told of as: $(<line)"
}
expect_inside folder folder/app
expect_inside app.tar app.tar:/packed
expect_inside layout layout:/packed
if command -v skopeo >/dev/null && skopeo copy --quiet oci-archive:app.tar docker-archive:docker.tar:app:1; then
  expect_inside docker.tar docker.tar:/packed
else
  echo "there is no skopeo: no archive of docker's"
fi

# Damage is an error of that file alone.
cp packed folder/damaged
printf '\377\377' | dd of=folder/damaged bs=1 seek=$(($(stat -c %s packed) / 2)) conv=notrunc status=none
expect_exit 4 "$WHITTLE" audit --format json folder
jq -e '(.files | length) == 3 and .totals.static == 2 and
  (.files[] | select(.path == "folder/damaged") | .error | test("damaged"))' "$out" >/dev/null ||
  fail "the damaged file: $(jq -c .files "$out")"

# The second of these is dynamic, which what UPX makes of it does not show.
corpus upx-linux upx
cp "$original" upx
chmod +x upx
for program in "$scratch/original" "$(readlink -f "$(command -v bash)")"; do
  ./upx -q -q -1 -o upx-packed "$program" >/dev/null
  expect_exit 1 "$WHITTLE" audit upx-packed
  grep -q '^packed *upx-packed: is packed by UPX 3.96: its contents are hidden' "$out" || fail "UPX: $(<"$out")"
  expect_error 3 "$WHITTLE" image upx-packed -o upx.tar
  rm upx-packed
done
