#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program that reads a section of its own file, which nothing loads, works after every command: strip
# keeps the section, pack refuses with and without --strip, and a build ships the program as it is. Also
# where the section is named nearly as compilers name theirs.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need go
need objcopy

mkdir src
cat >src/main.go <<'GO'
package main

import (
	"debug/elf"
	"fmt"
	"os"
)

func main() {
	path, _ := os.Executable()
	file, err := elf.Open(path)
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	for _, section := range file.Sections {
		data, _ := section.Data()
		if string(data) == "the resource" {
			fmt.Println(section.Name)
			return
		}
	}
	fmt.Println("there is no resource")
	os.Exit(4)
}
GO
printf 'module m\ngo 1.18\n' >src/go.mod
(cd src && CGO_ENABLED=0 go build -trimpath -o ../plain .)
printf 'the resource' >resource
cat >build.yml <<'YAML'
build:
  steps:
    app:
      whittle: {binary: app, output: shipped, image: {output: app.tar}}
YAML

for name in .myres .note.mydata .relres .debug_payload .comment2; do
  objcopy --add-section "$name=resource" plain app
  expect_exit 0 ./app
  [[ "$(<"$out")" == "$name" ]] || fail "the program finds $(<"$out"), not $name"

  expect_exit 0 "$WHITTLE" strip app -o stripped
  expect_exit 0 ./stripped
  grep -q -- "$name" "$out" || fail "strip lost $name"

  expect_error 3 "$WHITTLE" pack app -o packed
  grep -q 'payload-section' "$err" || fail "pack refuses for another reason: $(<"$err")"
  expect_error 3 "$WHITTLE" pack --strip app -o packed
  grep -q 'payload-section' "$err" || fail "pack --strip refuses for another reason: $(<"$err")"
  [[ ! -e packed ]] || fail "a refused program was written"

  expect_exit 0 "$WHITTLE" build
  grep -q -- "$name" "$err" || fail "the log does not name $name: $(<"$err")"
  expect_exit 0 ./shipped
  same shipped app "the shipped program and the one that was built"
done

# Without it, all of them do their work.
expect_exit 0 "$WHITTLE" pack --strip plain -o packed
expect_exit 4 ./packed
