#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Under strace and gdb a packed program runs as its original does. Before the system calls of the
# original it makes a few of its own, which do nothing but arrange memory and, where it is large, start a
# thread and see it end.
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need strace gdb
subject_name="$1"
subject "$subject_name"
start() { probe "$subject_name" x; }

# shellcheck disable=SC2317  # called by probe
program() { (exec strace -f -qq -e signal=none -o "$scratch/calls.$(stat -c %i "$file")" "$file" "$@"); }
expect_same_behaviour "under strace" start
[[ $(<"$scratch/.original.seen/status") -eq 0 ]] || fail "the original does not run: $(<"$scratch/.original.seen/stderr")"

names_of() {  # names_of FORM COUNT: of the first system calls of its first thread, after execve
  awk 'NR == 1 { first = $1; next } $1 == first && $2 != "<..." { print $2 }' \
    "calls.$(stat -c %i "$scratch/.$1")" | sed 's/(.*//' | head -n "$2" | tr '\n' ' '
}
first=$(names_of original 6)
all=$(names_of packed 2000)  # what decodes a large program makes hundreds
own=${all%%"$first"*}
[[ -n "$own" && "$own" != "$all" ]] || fail "calls $all, but the original begins with $first"
threads=""
if [[ $LEVEL == small ]] || (($(stat -c %s "$packed") >= 1 << 20)); then
  threads="sched_getaffinity clone getpid tgkill sched_yield"
fi
for call in $own; do
  [[ " futex madvise mmap munmap mprotect $threads " == *" $call "* ]] || fail "calls $own before its original does"
done
echo "own system calls: $own"

# What gdb says of threads depends on their timing, and would come between the program's own output.
program() {
  SHELL=/bin/sh gdb -nx -batch -iex 'set print thread-events off' -ex run -ex 'quit $_exitcode' --args "$file" "$@" 2>&1 |
    sed -E '/^(\[(New|LWP|Thread|Attaching|Detaching)|Using host|warning: |$)/d; s/\(process [0-9]+\)/(process)/'
}
expect_same_behaviour "under gdb" start
grep -q '^\[Inferior 1 (process) exited normally\]' "$scratch/.packed.seen/stdout" ||
  fail "gdb did not see it exit: $(<"$scratch/.packed.seen/stdout")"
