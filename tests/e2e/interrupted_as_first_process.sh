#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The first process of a container cannot die of a signal that it does not handle. whittle ends all
# the same when it is told to, with the status that a shell gives, and leaves nothing.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
first_of_namespace=(unshare --pid --fork --kill-child --mount-proc)
[[ $EUID -eq 0 ]] || first_of_namespace+=(--map-root-user)
"${first_of_namespace[@]}" true 2>/dev/null || skip "process namespaces are not permitted here"
subject hello-http
cp "$original" app

echo 'build: {steps: {s: {run: "touch started; sleep 60"}}}' >build.yml
for command in "build" "pack --level small app -o app.packed" "image app -o app.tar --report r.json"; do
  for signal in INT TERM; do
    rm -f started
    # shellcheck disable=SC2086
    env --default-signal=INT "${first_of_namespace[@]}" "$WHITTLE" $command >"$out" 2>"$err" &
    pid=$!
    until whittle=$(pgrep -P "$pid" -x whittle); do sleep 0.01; done
    until [[ "$command" != build || -e started ]]; do sleep 0.02; done
    # It may not yet have got as far as to handle signals; until then they are lost.
    while kill -s "$signal" "$whittle" 2>/dev/null; do sleep 0.1; done
    status=0
    wait "$pid" || status=$?
    [[ $status -eq $((128 + $(kill -l "$signal"))) ]] || fail "$command: SIG$signal: status $status"
    left=$(find . -name '.app*')
    [[ ! -e app.packed && ! -e app.tar && -z "$left" ]] || fail "$command: SIG$signal left a file"
  done
done
