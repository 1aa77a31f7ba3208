#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A packed program starts whatever the size of its environment and arguments, and sees all of both:
# the stack that the kernel built is handed on as it was.
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
subject_name="$1"
subject "$subject_name"

for count in 0 1 10 100 500 1000 5000; do
  expect_same_behaviour "with $count variables" with_variables "$count" probe "$subject_name" x
done

for size in 0 1 7 8 15 16 100 1000 4096 10000 65536 100000; do
  argument=$(printf '%*s' "$size" '' | tr ' ' a)
  expect_same_behaviour "with an argument of $size bytes" probe "$subject_name" "$argument"
done

# The same bytes in few and in many arguments.
case "$subject_name" in
  hello-http | esbuild | dprint) ;;  # take no list of free arguments
  *)
    for count in 0 1 2 3 10 100 5000 50000; do
      mapfile -t arguments < <(seq "$count")
      expect_same_behaviour "with $count arguments" probe "$subject_name" "${arguments[@]}"
    done
    ;;
esac
