#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `audit` says of RELRO in static programs is what the kernel has mapped once they run: `yes` where
# neither the range nor any slot of an indirect function can be written, `partial` where slots can, `no`
# where the range can. The policy rule `relro` is met by the first only.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need gcc musl-gcc readelf jq

cat >program.c <<'END'
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
extern char __ehdr_start[];
int main(int argc, char **argv) {  // for each address in the file: what may be done there
  for (int i = 1; i < argc; i++) {
    uintptr_t wanted = strtoull(argv[i], 0, 16), begin, end;
    if (wanted < (uintptr_t)__ehdr_start) wanted += (uintptr_t)__ehdr_start;
    FILE *maps = fopen("/proc/self/maps", "r");
    if (!maps) perror("/proc/self/maps");  // and shows which C library this is
    char line[512], allowed[8];
    while (maps && fgets(line, sizeof line, maps)) {
      if (sscanf(line, "%lx-%lx %7s", &begin, &end, allowed) == 3 && wanted >= begin && wanted < end) puts(allowed);
    }
    if (maps) fclose(maps);
  }
  return 0;
}
END

# mapped PROGRAM: the same word by what is mapped
mapped() {
  local range
  local -a slots
  range=$(readelf -lW "$1" | awk '$1 == "GNU_RELRO" { print $3 }')
  mapfile -t slots < <(readelf -rW "$1" 2>/dev/null | awk '/IRELATIV/ { print $1 }')
  if [[ -z $range || $("./$1" "$range") == *w* ]]; then
    echo no
  elif [[ ${#slots[@]} -gt 0 && $("./$1" "${slots[@]}") == *w* ]]; then
    echo partial
  else
    echo yes
  fi
}

answers=""
check() {  # check COMPILER FLAG...
  "$1" -O1 -w "${@:2}" -o program program.c
  cp program stripped && strip stripped
  local expected found form required
  expected=$(mapped program)
  for form in program stripped; do
    found=$("$WHITTLE" audit --format json "$form" | jq -r '.files[0].hardening.relro')
    [[ $found == "$expected" ]] || fail "$form of $*: whittle says $found, mapped is $expected"
    if [[ $expected == yes ]]; then required=0; else required=1; fi
    expect_exit $required "$WHITTLE" audit --require relro "$form"
  done
  answers+=" $expected"
}
check gcc -static
check gcc -static -Wl,-z,now
check gcc -static -Wl,-z,norelro
check gcc -static-pie -fPIE
check gcc -static-pie -fPIE -Wl,-z,now
check musl-gcc -static
check musl-gcc -static -Wl,-z,now

# Without a trace of the C library it is unknown, which meets no rule.
echo 'int main(void) { return 0; }' >nothing.c
musl-gcc -static -s -o nothing nothing.c
[[ $("$WHITTLE" audit --format json nothing | jq -r '.files[0].hardening.relro') == unknown ]] ||
  fail "a program that does not show its C library"
expect_exit 1 "$WHITTLE" audit --require relro nothing
[[ $answers == " partial yes no partial yes no no" ]] || fail "these compilers make other programs:$answers"
