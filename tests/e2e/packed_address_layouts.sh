#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A packed program starts in every layout of the address space that a personality asks for (no
# randomisation, legacy layout, 3 GiB, 4 GiB, page zero mapped, data executable), and in each with an
# unlimited stack, too.
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need setarch
subject_name="$1"
subject "$subject_name"

program() { (exec setarch "${personality[@]}" "$file" "$@"); }
with_stack() { (ulimit -S -s "$1" && "${@:2}"); }

started=0
for bits in --addr-no-randomize --addr-compat-layout --read-implies-exec --3gb --32bit --mmap-page-zero \
  "--addr-no-randomize --addr-compat-layout --read-implies-exec --3gb --mmap-page-zero"; do
  read -r -a personality <<<"$bits"
  for stack in "$(ulimit -S -s)" unlimited; do
    expect_same_behaviour "under setarch $bits, with a stack of $stack" \
      with_stack "$stack" probe "$subject_name" x
    [[ $(<"$scratch/.original.seen/status") -ne 0 ]] || started=$((started + 1))
  done
done
[[ $started -ge 10 ]] || fail "the original started in $started layouts of 14 only"
