#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `-o -` and `-o /dev/stdout` write the file to standard output, byte for byte what `-o FILE` writes, and
# nothing else gets there; what the command has to say goes to standard error, or nowhere where that is
# the same stream. Not to a terminal. `--` ends the options, and names of outputs may have 255 bytes.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need script
subject hello-c
cp "$original" app

"$WHITTLE" pack -q app -o app.packed
"$WHITTLE" strip -q app -o app.stripped
"$WHITTLE" image -q app -o app.tar

# check EXPECTED COMMAND...: its bytes on standard output, by every way to get there.
check() {
  local expected="$1" name
  shift
  for name in - /dev/stdout /dev/fd/1; do
    "$WHITTLE" "$@" -o "$name" 2>messages | cat >got
    same got "$expected" "$1 -o $name into a pipe"
    grep -q bytes messages || fail "$1 -o $name says nothing on standard error"
    "$WHITTLE" "$@" -o "$name" 2>&1 | cat >got
    same got "$expected" "$1 -o $name into a pipe together with standard error"
  done
  "$WHITTLE" "$@" -o - >got 2>messages
  same got "$expected" "$1 -o - into a file"
  { printf before; "$WHITTLE" "$@" -o -; } >got 2>messages
  cmp <(printf before; cat "$expected") got || fail "$1 -o - overwrites what was in the file before"
  "$WHITTLE" "$@" -o - --format json 2>messages | cat >got
  same got "$expected" "$1 -o - --format json"
  grep -q '^{' messages || fail "$1 --format json -o -: no JSON on standard error"
}
check app.packed pack app
check app.stripped strip app
check app unpack app.packed
check app.tar image app
"$WHITTLE" image -q app -o app.tar --report report.txt
for command in "--report -" "--report - --format json"; do
  # shellcheck disable=SC2086
  "$WHITTLE" image app -o app.tar $command 2>/dev/null | cat >got
  same got report.txt "image $command"
done
expect_exit 2 "$WHITTLE" image app -o - --report -
[[ ! -e - ]] || fail "a file named - was written"

# To a terminal: an error before anything is written.
status=0
script -qec "$WHITTLE pack app -o -" terminal >/dev/null </dev/null || status=$?
[[ $status -eq 2 ]] || fail "exit status $status, not 2, where standard output is a terminal"
[[ $(wc -c <terminal) -lt 2000 ]] || fail "the terminal got the file"

# A reader that goes away is an error that is reported.
set +o pipefail
"$WHITTLE" pack app -o - 2>messages | head -c 1 >/dev/null
[[ ${PIPESTATUS[0]} -eq 5 || ${PIPESTATUS[0]} -eq 0 ]] || fail "a closed pipe: $(<messages)"
set -o pipefail

cp app -- -app
expect_exit 0 "$WHITTLE" pack -q -o dashed -- -app
same dashed app.packed
expect_exit 2 "$WHITTLE" pack -- app -o other
grep -q 'unexpected argument `-o`' "$err" || fail "not said what is wrong: $(<"$err")"

long=$(printf 'x%.0s' {1..255})
umlauts=$(printf 'ä%.0s' {1..127})
for name in "$long" "$umlauts"; do
  expect_exit 0 "$WHITTLE" pack -q app -o "$name"
  same "$name" app.packed
  rm "$name"
  expect_exit 0 "$WHITTLE" image -q app -t app -o "$name"
  same "$name" app.tar
  rm "$name"
  expect_exit 0 "$WHITTLE" image -q app --layout "$name"
  [[ -s "$name/index.json" ]] || fail "no layout with a name of ${#name} characters"
done
expect_error 5 "$WHITTLE" pack app -o "${long}x"
