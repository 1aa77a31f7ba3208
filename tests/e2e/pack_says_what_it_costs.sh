#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What packing costs besides a later start is said: how much memory a start takes, and that symbols which
# stay in the file are found by nobody, not even by the backtraces of a Rust program. --strip leaves
# them out, and then nothing is said.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need rustc jq

cat >panic.rs <<'END'
#[inline(never)]
fn the_culprit(argument: usize) { if argument > 0 { panic!("on purpose") } }
fn main() { the_culprit(std::env::args().count()) }
END
rustc -O -C target-feature=+crt-static -C strip=none -o panic panic.rs 2>"$err" ||
  skip "rustc cannot link a static program here: $(tail -n 1 "$err")"

backtrace() { RUST_BACKTRACE=1 expect_exit 101 "$1"; }
backtrace ./panic
grep -q the_culprit "$err" || fail "the original's backtrace has no names: $(<"$err")"

expect_exit 0 "$WHITTLE" pack panic -o panic.packed
grep -q '^  warning: .*symbols.*--strip$' "$out" || fail "no warning: $(<"$out")"
grep -q '^  to start: about .* of memory' "$out" || fail "no word on memory: $(<"$out")"
expect_exit 0 "$WHITTLE" inspect panic.packed
grep -q '^  to start .*MiB of memory' "$out" || fail "inspect is silent on memory: $(<"$out")"
expect_exit 0 "$WHITTLE" pack --check panic
grep -q '^  warning: .*--strip$' "$out" || fail "--check does not warn: $(<"$out")"
backtrace ./panic.packed
if grep -q the_culprit "$err"; then fail "a packed program finds its symbols; the warning is wrong"; fi

expect_exit 0 "$WHITTLE" pack --strip --format json panic -o panic.packed
jq -e '.warnings == [] and .start_memory_bytes > 0' "$out" >/dev/null || fail "said: $(<"$out")"
backtrace ./panic.packed
