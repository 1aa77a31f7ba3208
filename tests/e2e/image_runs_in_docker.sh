#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The archive of `whittle build` loads into Docker, runs there, serves there, and has a history.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/image.inc"
source "$SOURCE/tests/e2e/dockerd.inc"

start_dockerd
build_image hello-http work
expect_exit 0 docker load --input "$archive"
reference=$(sed -n 's/^Loaded image: //p' "$out")
[[ -n "$reference" ]] || fail "docker load named no image: $(<"$out")"

expect_exit 0 docker run --rm --network none "$reference" --greet
[[ "$(<"$out")" == "Hello, world, from a very small image!" ]] || fail "printed $(<"$out")"
expect_exit 2 docker run --rm --network none --read-only --cap-drop ALL "$reference" surplus

expect_exit 0 docker history --no-trunc --format '{{.CreatedBy}}' "$reference"
grep -q whittle "$out" || fail "the history does not name whittle: $(<"$out")"
expect_exit 0 docker image inspect "$reference"
jq -e '.[0] | .Config.User == "65532:65532" and (.RootFS.Layers | length == 1)' "$out" >/dev/null ||
  fail "docker sees another config: $(<"$out")"

# It is a service: start it, ask it from within its own network, stop it.
expect_exit 0 docker run --detach --name service --network none "$reference"
for ((i = 0; i < 50; i++)); do
  run docker logs service
  grep -q 'listening on' "$err" && break
  sleep 0.1
done
pid=$(docker inspect --format '{{.State.Pid}}' service)
expect_exit 0 nsenter --net --target "$pid" bash -c \
  'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET /healthz HTTP/1.0\r\n\r\n" >&3; cat <&3'
[[ "$(<"$out")" == *"200 OK"*$'\n'ok ]] || fail "the service answered: $(<"$out")"
expect_exit 0 docker stop --time 5 service
expect_exit 0 docker inspect --format '{{.State.ExitCode}}' service
[[ "$(<"$out")" == 0 ]] || fail "the stopped service's exit status is $(<"$out")"
