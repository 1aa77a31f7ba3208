#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Under a limit of data (RLIMIT_DATA) the heap of a packed program can grow as far as its original's, by
# brk and by mmap: what it took while it unpacked is given back, and nothing of its own file is counted.
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need gcc prlimit
page=4096

cat >heap.c <<'C'
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void) {
  unsigned long by_brk = 0, by_mmap = 0;
  void* begin = sbrk(0);
  while (sbrk(4096) != (void*)-1) by_brk += 4096;
  brk(begin);
  while (mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) {
    by_mmap += 4096;
  }
  printf("%lu %lu\n", by_brk, by_mmap);
  return 0;
}
C
gcc -O1 -static -o heap-fixed heap.c
gcc -O1 -static-pie -fPIE -o heap-pie heap.c

for kind in fixed pie; do
  original="heap-$kind" packed="heap-$kind.packed"
  pack "$original" -o "$packed"
  for limit in 2000000 4000000 20000000; do
    expect_exit 0 prlimit --data="$limit" -- "./$original"
    read -r brk_of_original mmap_of_original <"$out"
    expect_exit 0 prlimit --data="$limit" -- "./$packed"
    read -r brk_of_packed mmap_of_packed <"$out"
    echo "$kind, $limit bytes of data: brk $brk_of_original and $brk_of_packed, mmap" \
      "$mmap_of_original and $mmap_of_packed"
    [[ $brk_of_original -gt $((limit / 2)) && $brk_of_original -lt $limit ]] ||
      fail "the limit was not in effect"
    # The first brk need not begin on a page.
    [[ $((brk_of_packed + page)) -ge $brk_of_original && $((mmap_of_packed + page)) -ge $mmap_of_original ]] ||
      fail "the packed program gets less"
  done
done
