#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pack refuses, with the reason and exit status 3, what it could only break.
source "${SOURCE:?}/tests/e2e/common.inc" || exit

cat >main.c <<'C'
int main(void) { return 0; }
C
gcc -O2 -o dynamic main.c
gcc -O2 -shared -fPIC -o library.so main.c
gcc -O2 -c -o object.o main.c
gcc -O2 -static -o static main.c
gcc -O2 -static -o setuid main.c && chmod u+s setuid
gcc -O2 -static -o setgid main.c && chmod g+s setgid
expect_exit 0 "$WHITTLE" pack --quiet static -o packed

refused() {  # refused FILE WORDS
  local before
  before=$(sha256sum <"$1")
  expect_error 3 "$WHITTLE" pack "$1" -o output
  grep -qiE "$2" "$err" || fail "the reason does not say '$2': $(<"$err")"
  [[ ! -e output ]] || fail "an output was left for $1"
  [[ "$(sha256sum <"$1")" == "$before" ]] || fail "$1 was changed"
}
refused dynamic 'dynamic|interpreter'
refused library.so 'shared'
refused object.o 'relocatable|object'
refused packed 'packed already|already packed'
refused setuid 'set-?uid'
refused setgid 'set-?gid'

# The same for a machine that the packer has no stub for: e_machine is at offset 18.
cp static foreign
printf '\x16\x00' | dd of=foreign bs=1 seek=18 conv=notrunc status=none
refused foreign 's390|machine'

# Set-uid only when told, and then it stays set-uid.
expect_exit 0 "$WHITTLE" pack --quiet --allow-privileged setuid -o told
[[ "$(stat -c %a told)" == 4755 ]] || fail "the packed file's mode is $(stat -c %a told)"
