#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A packed program whose tables, header, payload or folded stub were damaged says so in one line and ends with status
# 121; it never crashes and never runs wrong code. verify finds every damage, unpack returns nothing wrong.
# (Damage to the few instructions that unfold the stub is found by verify alone: nobody is left to tell.)
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need jq gcc
gcc -O1 -static -o restrict "$SOURCE/tests/e2e/restrict.c"
header_size=200  # up to the last field of PackHeader (packer/format.h), the packer's version

use() {  # use SUBJECT ARGUMENT...: what is damaged from here on
  subject "$1"
  arguments=("${@:2}")
  size=$(stat -c %s "$packed")
  expected=$("$original" "${arguments[@]}")
  header=$(LC_ALL=C grep -abo -P '\x7fWhittle' "$packed" | head -n 1 | cut -d : -f 1)
  payload_from=$((size - $("$WHITTLE" inspect --format json "$packed" |
    jq '[.packed.streams[].packed_bytes] | add')))
}

damage() {  # damage OFFSET BIT: flips one bit, then asks everyone
  local byte
  cp "$packed" damaged
  byte=$(od -An -tu1 -j "$1" -N 1 damaged)
  printf '%b' "\\x$(printf %02x $((byte ^ (1 << $2))))" |
    dd of=damaged bs=1 seek="$1" conv=notrunc status=none

  expect_exit 1 "$WHITTLE" verify damaged
  expect_error 4 "$WHITTLE" unpack damaged -o unpacked
  [[ ! -e unpacked ]] || fail "unpack of a file damaged at $1 left an output"

  run timeout 10 ./damaged "${arguments[@]}"
  if [[ $status -eq 0 ]]; then  # damage to what nothing reads at run time
    [[ "$(<"$out")" == "$expected" ]] || fail "damaged at $1: runs with other output"
    return
  fi
  [[ $status -eq 121 ]] || fail "damaged at $1: exit status $status: $(<"$err")"
  [[ $(wc -l <"$err") -eq 1 && ! -s "$out" ]] || fail "damaged at $1: prints $(<"$err")"
  noticed=$((noticed + 1))
}

damage_payload() {  # damage_payload COUNT: evenly; what stands last is not read at run time
  local i
  noticed=0
  for ((i = 0; i < $1; i++)); do
    damage $((payload_from + (size - payload_from) * i / $1 + i % 7)) $((i % 8))
  done
  [[ $noticed -ge $(($1 * 2 / 3)) ]] || fail "only $noticed damages of the payload were noticed at run time"
}

use hello-pie x

# Every field of the header behind the magic but for the version: another one is refused, not damaged.
noticed=0
for ((i = 8; i < header_size; i += 4)); do
  if ((i != 24)); then damage $((header + i)) $((i / 4 % 8)); fi
done
[[ $noticed -ge 20 ]] || fail "only $noticed damages of the header were noticed at run time"

# Every field of the tables, which stand in front of the header: entries of 40, 32 and 24 bytes.
number() { od -An -tu2 -j $((header + $1)) -N 2 "$packed"; }
tables=$((40 * $(number 114) + 32 * $(number 116) + 24 * $(number 118)))
noticed=0
for ((i = 0; i < tables; i += 4)); do damage $((header - tables + i)) $((i / 4 % 8)); done
[[ $tables -gt 0 && $noticed -eq $((tables / 4)) ]] ||
  fail "only $noticed damages of $tables bytes of tables were noticed at run time"

# The stub behind its first functions, which are 2,000 bytes at the most, but for the zeros that fill it up.
stub_from=$((header + 216 + 2000))
noticed=0
for ((i = 0; i < 40; i++)); do damage $((stub_from + (payload_from - 16 - stub_from) * i / 40)) $((i % 8)); done
[[ $noticed -eq 40 ]] || fail "only $noticed of 40 damages of the folded stub were noticed at run time"

# The size and the digest of what is folded stand behind the first functions, at a multiple of 32 from the entry:
# the only number that ends where the zeros that fill the stub up begin.
fold=""
for ((at = header + 216; at < stub_from; at += 32)); do
  folded=$(od -An -tu4 -j "$at" -N 4 "$packed")
  if ((payload_from - at - 8 - folded >= 0 && payload_from - at - 8 - folded < 16)); then fold=$at; fi
done
[[ -n "$fold" ]] || fail "the header of the folded stub was not found"
noticed=0
for ((bit = 0; bit < 64; bit++)); do damage $((fold + bit / 8)) $((bit % 8)); done
[[ $noticed -eq 64 ]] || fail "only $noticed of 64 damages of its header were noticed at run time"

damage_payload 60

# A file that ends in the folded stub.
for ((i = 0; i < 30; i++)); do
  head -c $((stub_from + (payload_from - stub_from) * i / 30)) "$packed" >damaged && chmod +x damaged
  expect_exit 121 ./damaged "${arguments[@]}"
  [[ $(wc -l <"$err") -eq 1 && ! -s "$out" ]] || fail "cut off in the folded stub, it prints $(<"$err")"
done

# A file whose end is missing, as after a broken download. What stands last is not read at run time.
for percent in 40 60 80 99; do
  head -c $((size * percent / 100)) "$packed" >damaged && chmod +x damaged
  expect_exit 1 "$WHITTLE" verify damaged
  expect_error 4 "$WHITTLE" unpack damaged -o unpacked
  [[ $percent -ne 99 ]] || break
  expect_exit 121 ./damaged "${arguments[@]}"
  [[ $(wc -l <"$err") -eq 1 && ! -s "$out" ]] || fail "the first $percent % print $(<"$err")"
  # Linux before 5.14 does not know the advice that reads ahead.
  expect_exit 121 "$scratch/restrict" -rENOSYS:madvise ./damaged damaged "${arguments[@]}"
done

use bash -c 'echo x'
damage_payload 40

# The reason is told under any name, on one line.
long=$(printf 'x%.0s' {1..400})
run env -i bash -c 'exec -a "$1" ./damaged' bash "$long"
[[ $status -eq 121 && $(<"$err") == "whittle: xxx"*"xxx: the file is damaged"* ]] || fail "under a long name: $(<"$err")"
run env -i bash -c 'exec -a "$1" ./damaged' bash $'two\nlines'
[[ $status -eq 121 && $(<"$err") == "whittle: two?lines: the file is damaged"* ]] || fail "under two lines: $(<"$err")"
