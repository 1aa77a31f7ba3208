#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Results go to standard output and nothing else does; --quiet leaves errors only; --format json is
# JSON; no escape codes reach a file or a user who set NO_COLOR; --help and --version answer.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
subject hello-c

for command in "audit $original" "inspect $original" "inspect $packed" "verify $packed"; do
  # shellcheck disable=SC2086
  expect_exit 0 "$WHITTLE" $command
  [[ -s "$out" && ! -s "$err" ]] || fail "$command: result '$(<"$out")', messages '$(<"$err")'"
  # shellcheck disable=SC2086
  expect_exit 0 "$WHITTLE" $command --format json
  jq -e . "$out" >/dev/null || fail "$command --format json prints no JSON: $(<"$out")"
  [[ ! -s "$err" ]] || fail "$command --format json prints messages: $(<"$err")"
done

for command in "strip $original" "pack $original" "unpack $packed" "image $original"; do
  rm -f output
  # shellcheck disable=SC2086
  expect_exit 0 "$WHITTLE" $command --quiet -o output
  [[ -s output && ! -s "$err" && ! -s "$out" ]] || fail "$command --quiet: '$(<"$out")' '$(<"$err")'"
done

# Errors are not silenced, and are the same with and without --quiet.
expect_error 5 "$WHITTLE" verify --quiet missing

for command in "audit $original" "pack $original -o output" "--help" "pack --help"; do
  # shellcheck disable=SC2086
  expect_exit 0 env NO_COLOR=1 TERM=xterm-256color "$WHITTLE" $command
  if grep -q $'\x1b' "$out" "$err"; then fail "$command prints escape codes"; fi
done

expect_exit 0 "$WHITTLE" --version
grep -q '^whittle [0-9]' "$out" || fail "--version: $(<"$out")"
for library in LIEF zstd libarchive OpenSSL libyaml; do
  grep -qi "$library" "$out" || fail "--version does not name $library: $(<"$out")"
done
expect_exit 0 "$WHITTLE" --help
help=$(<"$out")
for command in audit strip pack unpack inspect verify image build; do
  grep -qw "$command" <<<"$help" || fail "--help does not list $command"
  expect_exit 0 "$WHITTLE" help "$command"
  grep -q "$command" "$out" || fail "help $command: $(<"$out")"
done
