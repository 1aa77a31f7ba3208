#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `inspect --streams` accounts for every byte of a packed file, stream by stream; without the option
# the parts of one region are one row with the same sum. A plain file has no streams: refused.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need jq
subject hello-http

# packed_bytes: the sum of the column "packed" of the table in $out. Sizes are the only numbers with
# no mark on them, and the column's is the last of a row.
packed_bytes() {
  sed -n '/of the file$/,$p' "$out" | sed 1d | tr -d , |
    awk '{ for (i = NF; i > 0; i--) if ($i ~ /^[0-9]+$/) { sum += $i; break } } END { print sum }'
}
rows() { sed -n '/of the file$/,$p' "$out" | sed 1d | wc -l; }

size=$(stat -c %s "$packed")
expect_exit 0 "$WHITTLE" inspect --format json "$packed"
streams=$(jq '.packed.streams | length' "$out")
parts=$(jq '[.packed.streams[] | select(.part > 0)] | length' "$out")
regions=$(jq '[.packed.streams[] | select(.part > 0 and .part == .part_count)] | length' "$out")
[[ $parts -gt 0 && $regions -gt 0 ]] || fail "a Go program without parts: $(<"$out")"

expect_exit 0 "$WHITTLE" inspect --streams "$packed"
[[ $(packed_bytes) -eq $size ]] || fail "streams add up to $(packed_bytes), not $size: $(<"$out")"
[[ $(rows) -eq $((streams + 2)) ]] || fail "$streams streams, $(rows) rows: $(<"$out")"

expect_exit 0 "$WHITTLE" inspect "$packed"
[[ $(packed_bytes) -eq $size ]] || fail "rows add up to $(packed_bytes), not $size: $(<"$out")"
[[ $(rows) -eq $((streams - parts + regions + 2)) ]] || fail "parts are not summed: $(<"$out")"

expect_error 3 "$WHITTLE" inspect --streams "$original"
