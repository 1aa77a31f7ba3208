#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Interrupted at any moment, pack leaves either its whole output or nothing, and no temporary file.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
subject hello-http
install -m 755 "$original" input
sum=$(sha256sum <input)

interrupted=0
for signal in INT TERM HUP; do
  for delay in 0.005 0.02 0.05 0.1 0.2 0.4 0.8 1.6; do
    mkdir out
    # A background job of a script ignores SIGINT; this one must not.
    env --default-signal=INT "$WHITTLE" pack --quiet input -o out/packed 2>"$err" &
    pid=$!
    sleep "$delay"
    kill -s "$signal" "$pid" 2>/dev/null || true
    status=0
    wait "$pid" || status=$?
    if [[ $status -eq 0 ]]; then
      same out/packed "$packed" "a complete run's output differs"
    else
      [[ $status -eq $((128 + $(kill -l "$signal"))) ]] || fail "SIG$signal: status $status: $(<"$err")"
      interrupted=$((interrupted + 1))
    fi
    left=$(find out -mindepth 1 ! -name packed)
    [[ -z "$left" ]] || fail "SIG$signal after $delay s left $left"
    [[ ! -e out/packed ]] || same out/packed "$packed" "SIG$signal after $delay s left a part"
    rm -r out
  done
done
[[ $interrupted -ge 3 ]] || fail "only $interrupted runs were interrupted"
[[ "$(sha256sum <input)" == "$sum" ]] || fail "the input was changed"
