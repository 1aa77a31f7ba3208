#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A packed file is smaller, verifies, says what it is, and gives the packed-in file back bit for bit,
# with its mode. Packing is deterministic and leaves the input alone.
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
subject "$1"
install -m 750 "$original" input
sum=$(sha256sum <input)

expect_exit 0 pack input -o packed
[[ "$(stat -c %a packed)" == 750 ]] || fail "packed with mode $(stat -c %a packed)"
same packed "$packed" "two runs of pack differ"
[[ $(stat -c %s packed) -lt $(stat -c %s input) ]] || fail "not smaller"
[[ "$(sha256sum <input)" == "$sum" ]] || fail "pack changed its input"

expect_exit 0 "$WHITTLE" verify packed
expect_exit 0 "$WHITTLE" unpack packed -o unpacked
same unpacked input
[[ "$(stat -c %a unpacked)" == 750 ]] || fail "unpacked with mode $(stat -c %a unpacked)"

expect_exit 0 "$WHITTLE" inspect --format json packed
jq -e --argjson size "$(stat -c %s input)" --arg sum "${sum%% *}" --arg level "$LEVEL" \
  '.packed | .original_bytes == $size and .original_sha256 == $sum and .level == $level' \
  "$out" >/dev/null || fail "inspect does not state the original's size and digest: $(<"$out")"

expect_error 3 "$WHITTLE" pack packed -o twice
[[ ! -e twice ]] || fail "a refused pack left an output"
