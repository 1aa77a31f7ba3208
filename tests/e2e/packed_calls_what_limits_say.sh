#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A packed program makes the system calls that its original makes, those that docs/limits.md names, and no other:
# who writes a list of allowed calls goes by that.
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
source "$SOURCE/tests/e2e/starts.inc"
need strace

# named MARK: the calls between <!-- MARK:begin --> and <!-- MARK:end --> in docs/limits.md.
named() {
  tr '\n' ' ' <"$SOURCE/docs/limits.md" | sed "s/.*<!-- $1:begin -->//; s/<!-- $1:end -->.*//" |
    grep -o '`[a-z_]*`' | tr -d '`'
}
# calls FILE: those that it makes from its first instruction on, in any thread. Whether Go's runtime
# sends signals and sleeps within so short a run is chance, so its calls for these are left out.
calls() {
  cp "$1" "$scratch/$program"
  strace -f -qq -o trace "$scratch/$program" "${arguments[@]}" >/dev/null
  sed -nE 's/^[0-9]+ +([a-z_0-9]+)\(.*/\1/p' trace | grep -vxE 'execve|rt_sigreturn|tgkill|getpid|nanosleep' |
    sort -u
}

[[ $(named calls | wc -l) -eq 5 && $(named threads | wc -l) -eq 6 ]] || fail "docs/limits.md names no calls"
least=$((1024 * 1024))
if [[ $LEVEL == small ]]; then least=$((128 * 1024)); fi
for program in hello-c hello-pie busybox hello-http; do
  use "$program"
  calls "$original" >original.calls
  calls "$packed" >packed.calls
  {
    cat original.calls
    named calls
    if [[ $(stat -c %s "$packed") -ge $least ]]; then named threads; fi
  } | sort -u >allowed
  extra=$(comm -13 allowed packed.calls)
  [[ -z "$extra" ]] || fail "a packed $program calls what docs/limits.md does not name: $extra"
  for call in mmap munmap mprotect; do
    grep -qx "$call" packed.calls || fail "a packed $program does not call $call: was it traced?"
  done
done
