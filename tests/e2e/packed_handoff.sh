#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the kernel would have handed to the original, the packed program gets: every register, the
# stack pointer, arguments, environment, auxiliary vector, program headers, thread-local storage,
# protections of its own memory, signals, limits, descriptors, threads. Without address randomisation the
# two dumps are equal.
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need gcc setarch strace
[[ $(uname -m) == x86_64 ]] || skip "the probe is written for x86-64"

gcc -O1 -static -Wl,-e,probe_entry -o fixed "$SOURCE/tests/e2e/handoff_probe.c"
gcc -O1 -static-pie -fPIE -Wl,-e,probe_entry -o pie "$SOURCE/tests/e2e/handoff_probe.c"
# Large enough that it is unpacked by several threads.
head -c 3000000 /dev/urandom >noise
echo '.section .rodata; .incbin "noise"; .section .note.GNU-stack,"",@progbits' >noise.s
gcc -O1 -static -Wl,-e,probe_entry -o large "$SOURCE/tests/e2e/handoff_probe.c" noise.s

# Under one name in turn, so that the stack is laid out the same.
dump() {  # dump PROGRAM OUTPUT
  cp "$1" program
  setarch -R env -i A=1 LONG="$(printf 'x%.0s' {1..3000})" ./program one 'two words' '' >"$2"
}

for kind in fixed large pie; do
  pack "$kind" -o "$kind.packed"
  dump "$kind" original.dump
  dump "$kind.packed" packed.dump
  [[ $(wc -l <original.dump) -gt 150 ]] || fail "the probe saw little: $(cat original.dump)"
  for entry in 3 5 6 7 9 25 31 33; do  # program headers, page size, base, entry, random, name, vdso
    grep -q "^auxiliary $entry " packed.dump || fail "$kind: no entry $entry in the auxiliary vector"
  done
  if [[ $kind != pie ]]; then
    diff original.dump packed.dump || fail "$kind: the packed program sees another start"
  else
    # The kernel puts a position-independent program where there is room for all of it, and the
    # packed one needs more: addresses in the image move together, by whole pages, and the vdso
    # (33) is elsewhere.
    addresses='^auxiliary (3|7|9) '
    diff <(grep -vE "$addresses|^auxiliary 33 " original.dump) \
      <(grep -vE "$addresses|^auxiliary 33 " packed.dump) ||
      fail "$kind: the packed program sees another start"
    moved() {
      paste -d' ' <(grep -E "$addresses" original.dump) <(grep -E "$addresses" packed.dump) |
        while read -r _ _ before _ _ after; do echo $((after - before)); done | sort -u
    }
    [[ $(moved | grep -vxc 0) -le 1 && $(($(moved | tail -n 1) % 4096)) -eq 0 ]] ||
      fail "$kind: addresses moved apart: $(moved)"
  fi
done

# The ignored and the blocked stay so, and descriptors that are open stay open.
pack fixed -o fixed.packed
for program in fixed fixed.packed; do
  cp "$program" program
  (trap '' USR1 HUP; exec 7<program; ulimit -S -n 99; setarch -R env -i ./program >"$program.dump")
done
grep -q '^signal 10 blocked 0 ignored 1' fixed.dump || fail "the probe does not see ignored signals"
grep -q '^descriptor 7' fixed.dump || fail "the probe does not see descriptors"
diff fixed.dump fixed.packed.dump || fail "the packed program sees another start"
if (($(nproc) > 1)); then
  strace -f -qq -e trace=clone -o calls ./large.packed >/dev/null 2>&1
  grep -q 'CLONE_THREAD' calls || fail "the large one started no thread"
fi
echo "$(wc -l <packed.dump) facts agree"
