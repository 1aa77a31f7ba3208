#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A second reader, which follows packer/FORMAT.md and shares no code with the packer, gets the same
# program out of a packed file, for every machine and every kind of region, and notices one wrong
# bit anywhere.
# at each level
# timeout: 600
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need python3 g++

held=  # what `inspect` tells of all packed files
expect_given_back() {
  expect_exit 0 python3 -B "$SOURCE/tests/unpack.py" "$packed" unpacked
  same unpacked "$original"
  expect_exit 0 "$WHITTLE" inspect "$packed"
  held+=$(<"$out")
}

# pack_and_expect_given_back COMPILER SOURCE: of a static program that it makes.
pack_and_expect_given_back() {
  original="$scratch/original.$1" packed="$scratch/packed.$1"
  "$1" -O2 -static -o "$original" "$2"
  expect_exit 0 pack "$original" -o "$packed"
  expect_given_back
}

subjects=(hello-c hello-musl)
kinds=("unwind table" "x86-64 code")
if [[ "$LEVEL" == fast ]]; then  # Python takes its time for the codec of the other level
  subjects+=(hello-pie busybox hello-http)
  kinds+=("exception tables" relocations "Go function table")
  cat >exceptions.cc <<'END'
#include <iostream>
#include <regex>
int main(int, char** words) { std::cout << std::regex_match(*words, std::regex("[a-z/]+")); }
END
  pack_and_expect_given_back g++ exceptions.cc
fi
for name in "${subjects[@]}"; do
  subject "$name"
  expect_given_back
done
for kind in "${kinds[@]}"; do
  [[ "$held" == *"$kind"* ]] || fail "no packed file has a region of the kind: $kind"
done

others=0
for machine in aarch64 riscv64; do
  command -v "$machine-linux-gnu-gcc" >/dev/null || continue
  pack_and_expect_given_back "$machine-linux-gnu-gcc" "$SOURCE/samples/hello-c/hello.c"
  others=$((others + 1))
done

subject hello-musl
size=$(stat -c %s "$packed")
rm -f unpacked
for ((i = 0; i < 40; i++)); do
  at=$((size * i / 40 + i % 7))
  cp "$packed" damaged
  byte=$(od -An -tu1 -j "$at" -N 1 damaged)
  printf '%b' "\\x$(printf %02x $((byte ^ (1 << i % 8))))" |
    dd of=damaged bs=1 seek="$at" conv=notrunc status=none
  expect_exit 1 python3 -B "$SOURCE/tests/unpack.py" damaged unpacked
  [[ $(wc -l <"$err") -eq 1 && "$(<"$err")" == "unpack.py: damaged: "* ]] ||
    fail "damaged at $at: prints $(<"$err")"
  [[ ! -e unpacked ]] || fail "damaged at $at: an output"
done
head -c $((size / 2)) "$packed" >damaged
expect_exit 1 python3 -B "$SOURCE/tests/unpack.py" damaged unpacked

[[ $others -eq 2 ]] || skip "all agreed, but a cross compiler for aarch64 or riscv64 is missing"
