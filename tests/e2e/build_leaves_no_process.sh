#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# When a build is over, none of its processes is left: whatever session they made, whatever signals
# they ignore, and however the build ended. What was left running is said.
source "${SOURCE:?}/tests/e2e/common.inc" || exit

# Processes of the steps are known by a variable in their environment, which they inherit.
processes() {
  local environment
  for environment in /proc/[0-9]*/environ; do
    [[ "$environment" != /proc/$$/* ]] || continue
    { grep -qzxF "STEP_MARK=$scratch" "$environment"; } 2>/dev/null || continue
    tr '\0' ' ' <"${environment%environ}cmdline" 2>/dev/null
    echo
  done | grep . || true
}
none_left() {
  local left i
  # A process that was sent SIGKILL takes a moment to be gone.
  for ((i = 0; i < 100; i++)); do
    left=$(processes)
    [[ -n "$left" ]] || return 0
    sleep 0.05
  done
  fail "$1: left running: $left"
}
# A test that fails leaves nothing either.
at_end 'for e in /proc/[0-9]*/environ; do
  ! grep -qzxF "STEP_MARK=$scratch" "$e" 2>/dev/null || kill -KILL "$(basename "${e%/environ}")"
done'

# build_of COMMAND: in two steps, of which the other ends later.
build_of() {
  printf '%s' "$1" >command.sh
  rm -f ready
  cat >build.yml <<E
build:
  steps:
    left: {run: . ./command.sh, env: {STEP_MARK: $scratch}}
    other: {run: sleep 0.3, depends_on: [left], env: {STEP_MARK: $scratch}}
E
}

build_of 'setsid sleep 77.7 >/dev/null 2>&1 & sleep 0.2; echo started'
expect_exit 0 "$WHITTLE" build
none_left setsid
grep -qx '\[left\] warning: `run` left processes running, which were ended: sleep' "$err" ||
  fail "does not say what was left: $(<"$err")"
grep -qx '  warning: `run` left processes running, which were ended: sleep' "$out" ||
  fail "the report does not say it: $(<"$out")"

# A daemon: two forks, a session, its output held open, and none of the environment.
build_of 'setsid sh -c "env - STEP_MARK=$STEP_MARK setsid sleep 77.7 & exit" & sleep 0.3'
expect_exit 0 "$WHITTLE" build
none_left "a daemon"

# Nobody heeds the signals. It takes a while, and is said.
build_of 'setsid sh -c "trap \"\" INT TERM HUP; sleep 77.7; sleep 77.7" & sleep 0.2'
expect_exit 0 "$WHITTLE" build
none_left "ignored signals"
grep -q 'warning: `run` left processes running, which were killed: ' "$err" || fail "$(<"$err")"

# A failing step, and the others that its failure stops.
cat >build.yml <<E
build:
  steps:
    fails: {run: "setsid sleep 77.7 & until [ -e ready ]; do sleep 0.05; done; exit 3", env: {STEP_MARK: $scratch}}
    other: {run: "setsid sh -c 'sleep 77.7 & wait' & setsid -w sh -c 'touch ready; sleep 77.7'", env: {STEP_MARK: $scratch}}
E
expect_exit 1 "$WHITTLE" build
none_left "a failure"

# whittle is killed: its steps go with it.
build_of 'setsid sh -c "trap \"\" TERM; touch ready; sleep 77.7" & wait'
"$WHITTLE" build 2>/dev/null &
pid=$!
until [[ -e ready ]]; do sleep 0.05; done
[[ -n "$(processes)" ]] || fail "the test does not see the processes"
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
none_left "a killed whittle"
