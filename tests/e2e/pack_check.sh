#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `pack --check` and `inspect` say beforehand what `pack` would refuse, by the same code, and write
# nothing. Programs that carry data of their own behind the ELF file are refused.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need busybox gcc jq go objcopy

busybox="$(command -v busybox)"
expect_exit 0 "$WHITTLE" pack --check "$busybox"
grep -q 'can be packed' "$out" || fail "said: $(cat "$out")"

printf '#include <stdio.h>\nint main(void) { return puts("hi") < 0; }\n' >hi.c
gcc hi.c -o dynamic
gcc -shared -fPIC -nostdlib hi.c -o library.so
gcc -c hi.c -o object.o
"$WHITTLE" pack --quiet "$busybox" -o packed
cat "$busybox" - >zipped <<<"PK appended archive"
printf 'tail -n +3 "$0"\nexit\npayload' | cat "$busybox" - >script
cp "$busybox" privileged && chmod u+s privileged
gcc -static hi.c -o static
echo payload >data
objcopy --add-section .bundle=data static bundled
printf 'package main\nfunc main() {}\n' >hi.go
GOOS=freebsd CGO_ENABLED=0 go build -o freebsd hi.go
# The first segment's memory reaches into the second's.
cp static overlapping
python3 - overlapping <<'END'
import struct, sys
with open(sys.argv[1], "r+b") as file:
    head = file.read(64)
    phoff, = struct.unpack_from("<Q", head, 32)
    phentsize, phnum = struct.unpack_from("<HH", head, 54)
    for at in range(phoff, phoff + phnum * phentsize, phentsize):
        file.seek(at)
        if struct.unpack("<I", file.read(4))[0] == 1:
            file.seek(at + 40)  # p_memsz
            file.write(struct.pack("<Q", 0x100000))
            break
END

check() {  # check FILE CODE
  expect_exit 3 "$WHITTLE" pack --check --format json "$1"
  [[ $(jq -r .refusal.code "$out") == "$2" ]] || fail "$1: --check says $(cat "$out")"
  [[ $(wc -l <"$err") -eq 1 ]] || fail "$1: $(cat "$err")"
  expect_error 3 "$WHITTLE" pack "$1" -o output
  [[ $(cat "$err") == *"[$2]" ]] || fail "$1: pack says $(cat "$err")"
  [[ ! -e output ]] || fail "$1: something was written"
  [[ $2 == already-packed ]] ||  # inspect tells of what is inside
    [[ $("$WHITTLE" inspect --format json "$1" | jq -r .packable.refusal.code) == "$2" ]] ||
    fail "$1: inspect says $("$WHITTLE" inspect "$1")"
}
check dynamic dynamic
check library.so shared-object
check object.o not-executable
check packed already-packed
check zipped overlay
check script overlay
check privileged privileged
check bundled payload-section
check freebsd system
check overlapping overlap

[[ $("$WHITTLE" inspect --format json "$busybox" | jq -r .packable.ok) == true ]] ||
  fail "inspect does not say that it can be packed"
