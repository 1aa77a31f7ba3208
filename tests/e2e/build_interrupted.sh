#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `whittle build` that is interrupted passes the signal on, waits for what its steps do about it,
# kills what does nothing, removes its temporary files, says that it was interrupted, and ends as by
# that signal.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need python3

# start COMMAND...: in the background, with $pid. A background job of a script ignores SIGINT; this
# one must not.
start() {
  rm -rf started cleaned
  env --default-signal=INT,QUIT "$@" >"$out" 2>"$err" &
  pid=$!
}
until_exists() { until [[ -e "$1" ]]; do sleep 0.02; done; }
ended() {  # ended STATUS: how $pid ends
  status=0
  wait "$pid" || status=$?
  [[ $status -eq $1 ]] || fail "status $status, not $1: $(<"$err")"
  [[ ! -s "$out" ]] || fail "wrote to standard output: $(<"$out")"
}
milliseconds() { date +%s%3N; }

# Both steps clean up when they are told to end, which takes a while.
cat >build.yml <<'E'
build:
  steps:
    first: {run: "trap 'sleep 1; touch cleaned; exit 0' INT TERM HUP; touch started; while :; do sleep 0.1; done"}
    second: {run: "until [ -e started ]; do sleep 0.02; done; exec setsid -w sh -c 'touch second; exec sleep 60'"}
    later: {run: touch later, depends_on: [first]}
E
for signal in INT TERM HUP; do
  rm -f second
  start "$WHITTLE" build
  until_exists second
  kill -s "$signal" "$pid"
  ended $((128 + $(kill -l "$signal")))
  [[ -e cleaned ]] || fail "SIG$signal: did not wait for a step to clean up"
  [[ ! -e later ]] || fail "SIG$signal: went on"
  grep -qx 'whittle: interrupted; ended step `first` and step `second`' "$err" || fail "$(<"$err")"
done

# Whoever ignores the signal is killed after a while, or at once on a second signal.
cat >build.yml <<'E'
build: {steps: {stubborn: {run: "trap '' INT TERM; touch started; while :; do sleep 0.1; done"}}}
E
start "$WHITTLE" build
until_exists started
before=$(milliseconds)
kill -TERM "$pid"
ended 143
(($(milliseconds) - before >= 6000)) || fail "gave no time to end"
grep -qx 'whittle: interrupted; ended step `stubborn`; had to kill processes of step `stubborn`' \
  "$err" || fail "$(<"$err")"
start "$WHITTLE" build
until_exists started
before=$(milliseconds)
kill -INT "$pid"
sleep 0.5
kill -INT "$pid"
ended 130
(($(milliseconds) - before < 6000)) || fail "a second signal did not hurry it"

# What nobody has the right to end, such as a process of root's, is said.
if [[ $EUID -eq 0 ]]; then
  install -m 4755 "$(command -v setpriv)" become
  mkdir -m 777 open
  cat >open/build.yml <<'E'
build: {steps: {s: {run: "../become --reuid=0 --clear-groups sleep 20 & touch started; wait"}}}
E
  start setpriv --reuid=65534 --regid=65534 --clear-groups "$WHITTLE" build -d open
  until_exists open/started
  sleep 0.5
  kill -TERM "$pid"
  sleep 0.2
  kill -TERM "$pid"
  ended 143
  grep -q 'could not be ended and still run, of step `s`$' "$err" || fail "$(<"$err")"
fi
cat >build.yml <<'E'
build: {steps: {stubborn: {run: "trap '' INT TERM; touch started; while :; do sleep 0.1; done"}}}
E

# --quiet leaves errors, of which this is one.
start "$WHITTLE" build --quiet
until_exists started
kill -INT "$pid"
sleep 0.2
kill -INT "$pid"
ended 130
[[ "$(<"$err")" == 'whittle: interrupted; '* && $(wc -l <"$err") -eq 1 ]] || fail "$(<"$err")"

# A signal that is ignored from the beginning, as nohup has it, stays ignored.
cat >build.yml <<'E'
build: {steps: {s: {run: "touch started; until [ -e go ]; do sleep 0.05; done"}}}
E
rm -f started
env --ignore-signal=HUP "$WHITTLE" build 2>"$err" &
pid=$!
until_exists started
kill -HUP "$pid"
touch go
status=0
wait "$pid" || status=$?
[[ $status -eq 0 ]] || fail "SIGHUP was to be ignored: status $status"

# Ctrl-C on a terminal, which the steps are not in the foreground of.
cat >build.yml <<'E'
build:
  steps:
    s: {run: "trap 'touch cleaned; exit 0' INT; touch started; while :; do sleep 0.1; done"}
E
rm -f started cleaned
cat >terminal.py <<'E'
import os, pty, sys, time
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], [sys.argv[1], "build"])
while not os.path.exists("started"):
    time.sleep(0.02)
os.write(terminal, b"\x03")
output = b""
try:
    while True:
        output += os.read(terminal, 4096)
except OSError:  # the terminal has been closed by whoever had it
    pass
status = os.waitpid(child, 0)[1]
print(-os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
sys.stdout.write(output.decode())
E
expect_exit 0 python3 terminal.py "$WHITTLE"
[[ "$(head -n 1 "$out")" == -2 ]] || fail "Ctrl-C: $(<"$out")"
[[ -e cleaned ]] || fail "Ctrl-C did not reach the step: $(<"$out")"
grep -q 'interrupted; ended step `s`' "$out" || fail "Ctrl-C: $(<"$out")"

# While whittle itself works nothing is waited for, and no part of a file stays.
subject hello-http
cp "$original" app
printf 'build: {steps: {s: {whittle: {binary: app, output: app.small}}}}\n' >build.yml
interrupted=0
for delay in 0.02 0.1 0.3 0.6 0.9 1.2; do
  rm -f app.tar app.small
  start "$WHITTLE" build
  sleep "$delay"
  kill -TERM "$pid" 2>/dev/null || true
  status=0
  wait "$pid" || status=$?
  if [[ $status -ne 0 ]]; then
    [[ $status -eq 143 ]] || fail "status $status: $(<"$err")"
    interrupted=$((interrupted + 1))
  fi
  left=$(find . -name '.app*')
  [[ -z "$left" ]] || fail "after $delay s left $left"
done
[[ $interrupted -ge 1 ]] || fail "no run was interrupted"
