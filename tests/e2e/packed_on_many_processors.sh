#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# However many processors there are, a packed program starts four threads at the most, and its
# original starts. (The kernel's answer is replaced by that of a machine with 2 to 512 processors.)
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need strace
subject hello-http  # with a payload that is worth four threads at level small, and two at fast
if [[ $LEVEL == small ]]; then most=3; else most=1; fi

for bytes in 03 ff ffff ffffffffffffffff "$(printf 'ff%.0s' {1..64})"; do
  run timeout 60 strace -f -qq -o calls -e trace=clone,sched_getaffinity,rt_sigprocmask \
    -e "inject=sched_getaffinity:retval=64:poke_exit=@arg3=$(printf '%-128s' "$bytes" | tr ' ' 0):when=1" \
    "$packed" --greet
  [[ $status -eq 0 ]] || fail "with processors $bytes: exit status $status: $(<"$err")"
  [[ $(<"$out") == "Hello, world, from a very small image!" ]] || fail "prints $(<"$out")"
  grep -q INJECTED calls || fail "the answer was not replaced: $(head -n 3 calls)"
  # The stub's threads come before anything of the original, which begins with its signal mask.
  started=$(sed '/rt_sigprocmask/,$d' calls | grep -c 'clone(' || true)
  ((started <= most)) || fail "with processors $bytes it starts $started threads"
  if [[ $bytes != 03 ]]; then ((started == most)) || fail "with $bytes it starts $started threads, not $most"; fi
done
