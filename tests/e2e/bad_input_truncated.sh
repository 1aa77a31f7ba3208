#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A file that was cut off at any boundary of its headers is an error with one line and the documented
# status, for every command that takes a file, and is left as it is.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
subject hello-c

# The boundaries of the fields of the ELF header, of each program header, and inside segments.
boundaries() {
  printf '%s\n' 1 3 4 5 6 7 8 15 16 18 20 24 32 40 48 52 54 56 58 60 62 63 64 65
  local count i
  count=$(od -An -tu2 -j 56 -N 2 "$1")
  for ((i = 1; i <= count; i++)); do printf '%s\n' $((64 + 56 * i - 1)) $((64 + 56 * i)); done
  printf '%s\n' 4095 4096 4097 $(($(stat -c %s "$1") / 2))
}

check() {  # check FILE SIZE
  head -c "$2" "$1" >short && chmod 755 short
  local sum
  sum=$(sha256sum <short)
  expect_error "3|4" "$WHITTLE" pack short -o output
  expect_error "3|4" "$WHITTLE" strip short -o output
  expect_error "3|4" "$WHITTLE" unpack short -o output
  expect_exit "1|3|4" "$WHITTLE" verify short
  expect_error "3|4" "$WHITTLE" image short -o output
  expect_exit "0|4" "$WHITTLE" inspect short
  expect_exit "1|4" "$WHITTLE" audit short
  [[ ! -e output ]] || fail "an output was left for the first $2 bytes of $1"
  [[ "$(sha256sum <short)" == "$sum" ]] || fail "the input was changed"
}
while read -r size; do check "$original" "$size"; done < <(boundaries "$original")
while read -r size; do check "$packed" "$size"; done < <(boundaries "$packed")
