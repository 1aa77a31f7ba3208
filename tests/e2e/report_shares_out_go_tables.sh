#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `whittle report` shares the bytes of Go's function table out to the packages whose functions it
# describes, in each of its layouts as real compilers wrote them, and the shares add up to the file.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need jq go

expect_shares() {  # expect_shares LAYOUT PROGRAM: of the Go version that began with the layout
  local -A magics=([1.16]=fffffffa [1.18]=fffffff0 [1.20]=fffffff1)
  local at table code nobody owned
  at=$("$WHITTLE" inspect --format json "$2" |
    jq '.binary.sections[] | select(.name == ".gopclntab") | .offset')
  [[ $(od -An -tx4 -j "$at" -N 4 "$2") == " ${magics[$1]}" ]] || fail "$2 has no table of Go $1"
  "$WHITTLE" report --format json "$2" >report.json
  jq -e '.size_bytes as $size | [.owners, .sections, .segments] | all((map(.bytes) | add) == $size)' \
    report.json >/dev/null || fail "$1: shares do not add up"
  # Code is half of what a package has; the table is a third of it and more.
  jq -r '(.sections[] | select(.name == ".gopclntab") | .bytes) as $table |
    (.sections[] | select(.name == ".text") | .bytes) as $code |
    (.owners[] | select(.name == "[Go function table]") | .bytes) as $nobody |
    ([.owners[] | select(.name | startswith("[.") or startswith("[between") | not) | .bytes] | add)
      as $owned | [$table, $code, $nobody, $owned] | @tsv' report.json >numbers
  read -r table code nobody owned <numbers || fail "$1: something is missing in the report"
  [[ $nobody -gt 0 && $((nobody * 50)) -lt $table ]] || fail "$1: $nobody of $table bytes are nobody's"
  [[ $((owned * 100)) -gt $(((code + table) * 99)) ]] || fail "$1: $owned of $((code + table)) bytes are owned"
  echo "$1: $nobody of the table's $table bytes are nobody's"
}

corpus esbuild-linux-64 bin/esbuild
expect_shares 1.16 "$original"
corpus @esbuild/linux-x64 bin/esbuild
expect_shares 1.20 "$original"
corpus @esbuild/linux-arm64 bin/esbuild
expect_shares 1.20 "$original"
subject hello-http
layout=1.18
if [[ $(go env GOVERSION) =~ ^go1\.([2-9][0-9]) ]]; then layout=1.20; fi
expect_shares $layout "$original"
