#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Where a system forbids every way to run unpacked code, a packed program says so in one line and ends
# with status 123. One way that is left open is enough.
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need gcc prlimit
gcc -O1 -static -o restrict "$SOURCE/tests/e2e/restrict.c"

# A C library that may not call mprotect does not start at all, but Go does.
subject hello-http
expect_exit 0 ./restrict -c -rEPERM:mprotect "$packed" hello --greet
cp "$out" through_memfd
expect_exit 0 "$original" --greet
same through_memfd "$out"

subject busybox
restricted() {  # restricted RESTRICTION...
  "$scratch/restrict" "$@" "$packed" busybox echo one
}
expect_forbidden() {  # expect_forbidden COMMAND...
  expect_exit 123 "$@"
  [[ $(wc -l <"$err") -eq 1 && ! -s "$out" ]] || fail "prints $(cat "$out" "$err"), of: $*"
  [[ $(<"$err") == "whittle: busybox: the system forbids unpacked code; run the original"* ]] ||
    fail "gives as reason: $(<"$err")"
}

for refusal in EPERM ENOSYS; do
  expect_forbidden restricted "-r$refusal:mprotect,memfd_create"
  expect_forbidden restricted -c "-r$refusal:mprotect,memfd_create,madvise"
done
# Systems that know PR_SET_MDWE.
run restricted -m
[[ $status -ne 97 ]] || skip "this kernel has no PR_SET_MDWE (before Linux 6.3)"
[[ $status -eq 0 ]] || fail "PR_SET_MDWE alone: status $status: $(<"$err")"
expect_exit 0 restricted -m -c
for refusal in EPERM ENOSYS; do expect_forbidden restricted -m "-r$refusal:memfd_create"; done
# No descriptor for a memfd.
expect_forbidden prlimit --nofile=3 -- ./restrict -m "$packed" busybox echo one
# No file, and so no memfd, as large as the code. (Writing beyond that limit raises SIGXFSZ.)
for bytes in 4096 100000; do
  expect_forbidden prlimit --fsize="$bytes" -- ./restrict -m "$packed" busybox echo one
done
expect_exit 0 prlimit --fsize="$(stat -L -c %s "$original")" -- ./restrict -m "$packed" busybox echo one

# The administrator's own switch (vm.memfd_noexec, one a PID namespace) is about executing a memfd: 1 has
# to be asked for what is executable, 2 gives none of it. Neither forbids to map one.
with_memfd_noexec() {  # with_memfd_noexec LEVEL COMMAND...
  in_namespaces unshare --pid --fork --mount-proc "$BASH" -c '
    echo "$1" >/proc/sys/vm/memfd_noexec || exit 99
    shift; exec "$@"' -- "$@"
}
need_namespaces
[[ -e /proc/sys/vm/memfd_noexec ]] || skip "this kernel has no vm.memfd_noexec (before Linux 6.3)"
with_memfd_noexec 2 true 2>/dev/null || skip "vm.memfd_noexec can be set by root only"
for level in 0 1 2; do
  expect_exit 0 with_memfd_noexec "$level" ./restrict "$packed" busybox echo one
  expect_exit 0 with_memfd_noexec "$level" ./restrict -m "$packed" busybox echo one
done
