#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `whittle image` and `whittle build` refuse an image that can never start, before anything is written,
# and warn, in the log and in the report, of what else is missing in it.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need gcc jq go

gcc -O1 -static -o app "$SOURCE/samples/hello-c/hello.c"
gcc -O1 -o dynamic "$SOURCE/samples/hello-c/hello.c"
printf '#!/bin/sh\nexec /app\n' >run.sh
printf '#!/usr/bin/env python3\n' >tool.py
echo 'me:x:1000:1000::/:' >passwd

refused() {  # refused WORDS ARGUMENT...
  expect_exit 2 "$WHITTLE" image app -o app.tar "${@:2}"
  grep -qF "$1" "$err" || fail "not '$1': $(<"$err")"
  [[ ! -e app.tar ]] || fail "an image was written for ${*:2}"
}
refused '/other, is not in the image' --entrypoint /other
refused 'other, is in no folder of PATH' --entrypoint other
refused 'asks for /bin/sh, which is not in the image' --add run.sh:/run.sh:0755 --entrypoint /run.sh
refused 'has the mode 0644: nobody may execute it' --add run.sh:/run.sh --entrypoint /run.sh
refused 'misses /lib' --add dynamic:/dynamic:0755 --entrypoint /dynamic
refused 'no line for the user `you` in /etc/passwd' --add passwd:/etc/passwd --user you
refused 'no line for the group `staff` in /etc/group' --add passwd:/etc/passwd --add passwd:/etc/group --user me:staff

warned() {  # warned WORDS ARGUMENT...
  expect_exit 0 "$WHITTLE" image app -o app.tar --report report.json "${@:2}"
  grep -qF "warning: $1" "$err" || fail "no warning '$1': $(<"$err")"
  jq -e --arg words "$1" '.warnings | any(startswith($words))' report.json >/dev/null ||
    fail "the report does not warn '$1': $(jq -c .warnings report.json)"
  rm app.tar
}
warned 'in the image, 1 script for /bin/sh (missing): /run.sh' --add run.sh:/run.sh:0755
warned 'in the image, 1 script for /usr/bin/env python3 (missing): /tool.py' --add tool.py:/tool.py:0755
warned '/dynamic is a dynamic program and misses /lib' --add dynamic:/dynamic:0755
warned 'the program to run, /proc/self/exe, is not in the image, unless' --entrypoint /proc/self/exe

# In order: a script with its interpreter, by its name; a user by name.
expect_exit 0 "$WHITTLE" image app -o app.tar --name /bin/sh --add run.sh:/usr/bin/run:0755 --entrypoint run \
  --add passwd:/etc/passwd --user me
! grep -q warning "$err" || fail "warned of nothing: $(<"$err")"
rm app.tar

# What the program needs is added, or it is said that it is not.
cat >client.go <<'END'
package main

import "net/http"

func main() { http.Get("https://example.com") }
END
printf 'module client\ngo 1.19\n' >go.mod
CGO_ENABLED=0 GOFLAGS=-mod=mod go build -o client .
echo 'no certificates' >ca.pem
expect_exit 0 "$WHITTLE" image client -o client.tar
grep -q 'warning: the program needs CA certificates (function .*), which the image does not have: TLS' "$err" ||
  fail "no warning of certificates: $(<"$err")"
expect_exit 1 "$WHITTLE" audit client.tar --require static,no-needs:ca-certificates
expect_exit 0 "$WHITTLE" image client -o client.tar --add ca.pem:/etc/ssl/certs/ca-certificates.crt
! grep -q warning "$err" || fail "warned although they are there: $(<"$err")"
expect_exit 0 "$WHITTLE" audit client.tar --require static,no-needs:ca-certificates,entrypoint
expect_exit 0 "$WHITTLE" audit client.tar --format json
jq -e '.files[0].needs[] | select(.id == "needs/ca-certificates") |
  .supplied_by == ["/etc/ssl/certs/ca-certificates.crt"]' "$out" >/dev/null || fail "who supplies it: $(<"$out")"
# A file by itself has nothing around it.
expect_exit 1 "$WHITTLE" audit client --require static,no-needs:ca-certificates
# Packed or not.
"$WHITTLE" pack -q client -o client.packed
expect_exit 0 "$WHITTLE" image client.packed -o client.tar
grep -q 'warning: the program needs CA certificates' "$err" || fail "not of a packed program: $(<"$err")"

# The same in a build.
cat >build.yml <<'END'
build:
  steps:
    client:
      whittle:
        binary: client
        image:
          output: built.tar
          entrypoint: [/clinet]
END
expect_exit 2 "$WHITTLE" build
grep -q '/clinet, is not in the image' "$err" || fail "the build says: $(<"$err")"
[[ ! -e built.tar ]] || fail "the build wrote an image"
sed -i '/entrypoint/d' build.yml
expect_exit 0 "$WHITTLE" build --format json
grep -q 'warning: the program needs CA certificates' "$err" || fail "the log: $(<"$err")"
jq -e '.steps[0].size_report.warnings | any(contains("CA certificates"))' "$out" >/dev/null || fail "the report: $(<"$out")"

# An empty value is no value.
for option in -o --layout -t --name --user --workdir --entrypoint --report --add --env --label; do
  expect_exit 2 "$WHITTLE" image app -o app.tar "$option" ""
  grep -q 'empty value\|more than once' "$err" || fail "$option: $(<"$err")"
  [[ ! -e app.tar ]] || fail "an image was written for $option ''"
done
