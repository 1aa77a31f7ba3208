#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program for another system than Linux is called so, whatever marks it; it breaks `static` and is
# neither stripped, packed nor put into an image. Programs by Go, which also marks them in different
# ways from system to system, and as published.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need go jq npm

# refused NAME FILE: as made for the system NAME
refused() {
  local system="$1" file="$2" found
  expect_exit 1 "$WHITTLE" audit "$file"
  unwrapped "$out" >text
  grep -q "^other-system   $file: is made for $system, not for Linux: " text ||
    fail "audit of $file does not name $system: $(<"$out")"
  grep -q "violates static: is made for $system, not for Linux: " text || fail "static: $(<"$out")"
  expect_exit 1 "$WHITTLE" audit --format json "$file"
  found=$(jq -r '.files[0] | [.verdict, .system] | join(" ")' "$out")
  [[ $found == "other-system $system" ]] || fail "JSON of $file: $found"
  expect_exit 1 "$WHITTLE" audit --require nx "$file"
  expect_exit 0 "$WHITTLE" audit --require size\<=1G "$file"
  expect_error 3 "$WHITTLE" image "$file" -o refused.tar
  grep -q "is made for $system, not for Linux" "$err" || fail "image of $file: $(<"$err")"
  expect_error 3 "$WHITTLE" strip "$file" -o refused
  expect_error 3 "$WHITTLE" pack "$file" -o refused
  grep -q "is made for $system, not for Linux" "$err" || fail "pack of $file: $(<"$err")"
  [[ ! -e refused && ! -e refused.tar ]] || fail "$file is refused and something was written"
}

# The smallest program.
printf 'package main\n\nfunc main() { println("hi") }\n' >main.go
printf 'module example.com/hi\n\ngo 1.19\n' >go.mod
build() { CGO_ENABLED=0 GOOS="$1" GOARCH="$2" go build -buildvcs=false -o "hi-$1" .; }
build_and_refuse() {  # build_and_refuse GOOS GOARCH NAME
  build "$1" "$2"
  refused "$3" "hi-$1"
}
build_and_refuse freebsd amd64 FreeBSD
build_and_refuse netbsd arm64 NetBSD
build_and_refuse openbsd amd64 OpenBSD
build_and_refuse dragonfly amd64 "DragonFly BSD"
build_and_refuse illumos amd64 illumos
build_and_refuse solaris amd64 Solaris

# Without section headers: e_shoff, then e_shnum and e_shstrndx.
cp hi-dragonfly bare
head -c 8 /dev/zero | dd of=bare bs=1 seek=40 conv=notrunc status=none
head -c 4 /dev/zero | dd of=bare bs=1 seek=60 conv=notrunc status=none
refused "DragonFly BSD" bare

# A build's step fails as refused, not as one that built a dynamic program.
mkdir step && cp hi-freebsd step/app
printf 'build:\n  steps:\n    app:\n      whittle: {binary: app}\n' >step/build.yml
expect_exit 3 "$WHITTLE" build -d step
grep -q "is made for FreeBSD, not for Linux" "$err" || fail "build: $(<"$err")"
[[ ! -e step/app.tar ]] || fail "build wrote an image"

# For Linux, the same program is what it was.
build linux amd64
expect_exit 0 "$WHITTLE" audit hi-linux
[[ $("$WHITTLE" audit --format json hi-linux | jq -r '.files[0] | [.verdict, .system] | join(" ")') == "static Linux" ]] ||
  fail "a program for Linux"

for system in freebsd:FreeBSD netbsd:NetBSD openbsd:OpenBSD "sunos:Solaris or illumos"; do
  corpus "@esbuild/${system%%:*}-x64" bin/esbuild
  cp "$original" "esbuild-${system%%:*}"
  refused "${system#*:}" "esbuild-${system%%:*}"
done
