#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# After the handoff the address space is the original's: same ranges with the same protections,
# nothing writable and executable, stub and payload unmapped.
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need busybox

pack "$(command -v busybox)" -o packed
cp "$(command -v busybox)" original

# The program's own ranges: neighbours of one protection are one range, whatever is mapped there.
# Areas that the kernel places at random (heap, stack, mmap, vdso) are above 2 GiB or named.
image_ranges() {
  awk '!/\[/ && length($1) <= 17 {
    split($1, range, "-"); protection = $2
    if (range[1] == end && protection == last) { end = range[2]; next }
    if (last != "") print begin "-" end, last
    begin = range[1]; end = range[2]; last = protection
  } END { print begin "-" end, last }' "$1"
}

(exec -a cat ./original /proc/self/maps) >original.maps
(exec -a cat ./packed /proc/self/maps) >packed.maps
image_ranges original.maps >original.ranges
image_ranges packed.maps >packed.ranges
[[ $(wc -l <original.ranges) -ge 4 ]] || fail "no ranges found: $(cat original.maps)"
diff original.ranges packed.ranges || fail "the packed program's memory differs"

grep -q 'rwx' packed.maps && fail "writable and executable memory: $(cat packed.maps)"
grep -q '/packed$' packed.maps && fail "the packed file is still mapped: $(cat packed.maps)"
[[ $(grep -c 'r-xp' packed.maps) -eq $(grep -c 'r-xp' original.maps) ]] ||
  fail "other executable memory: $(cat packed.maps)"
# The kernel's own pages are where it says.
kernel_areas() { grep -oE '\[(stack|vdso|vvar|vsyscall)[^]]*\]$' "$1" | sort; }
kernel_areas original.maps >original.areas
kernel_areas packed.maps >packed.areas
grep -q vdso original.areas || fail "no vdso: $(cat original.maps)"
diff original.areas packed.areas || fail "the kernel's areas differ: $(cat packed.maps)"
echo "ranges: $(wc -l <packed.ranges)"
