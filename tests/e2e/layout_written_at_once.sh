#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Steps of a build and processes that write one layout, or one archive, at the same time: all
# succeed, nothing is lost, and the result is the same whoever comes first. One that is killed
# leaves a whole layout that the next one adds to.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need jq gcc
# A program of a few hundred bytes, so that little besides the writing takes time.
printf 'void _start(void) { for (;;) __asm__ volatile("syscall" :: "a"(60), "D"(0)); }\n' >app.c
gcc -O2 -s -static -nostdlib -o app app.c
cat >build.yml <<'END'
build:
  steps:
    a: {name: x:1, whittle: {binary: app, pack: false, strip: false, image: {layout: lay}}}
    b: {name: x:2, whittle: {binary: app, pack: false, strip: false, image: {layout: lay, cmd: [b]}}}
    c: {name: y:1, whittle: {binary: app, pack: false, strip: false, image: {layout: lay, cmd: [c]}}}
END
names() { jq -r '.manifests[].annotations["org.opencontainers.image.ref.name"]' "$1/index.json" | paste -sd ' '; }

first=
for ((i = 0; i < 50; i++)); do
  rm -rf lay
  if ((i % 2)); then mkdir lay; fi
  expect_exit 0 "$WHITTLE" build --quiet -j 3
  [[ "$(names lay)" == "x:1 2 y:1" ]] || fail "round $i: the layout has $(names lay)"
  sum=$(cd lay && find . -type f -exec sha256sum {} + | sort)
  [[ -z "$first" || "$sum" == "$first" ]] || fail "round $i: another layout: $sum"
  first=$sum
done
[[ "$(ls -A)" == "$(printf '%s\n' .stderr .stdout app app.c build.yml lay)" ]] || fail "left behind: $(ls -A)"

# Processes: five names into one layout, and two images into one archive, which is one of the two.
for ((round = 0; round < 5; round++)); do
  rm -rf lay
  pids=()
  for i in 1 2 3 4 5; do
    "$WHITTLE" image --quiet app --layout lay -t "x:$i" --cmd "$i" & pids+=($!)
  done
  for i in 1 2; do
    "$WHITTLE" image --quiet app -o both.tar -t x:1 --cmd "$i" & pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || fail "a writer failed"; done
  [[ "$(names lay)" == "1 2 3 4 5" ]] || fail "the layout has $(names lay)"
  digest=$(tar -xOf both.tar index.json | jq -r '.manifests[0].digest')
  expect_exit 0 "$WHITTLE" audit both.tar
  [[ "$digest" == "$(jq -r '.manifests[0].digest' lay/index.json)" ||
    "$digest" == "$(jq -r '.manifests[1].digest' lay/index.json)" ]] || fail "both.tar holds $digest"
done

# Killed while it adds to a layout.
for delay in 0 0.01 0.02 0.03 0.05 0.08 0.1; do
  "$WHITTLE" image --quiet app --layout lay -t x:1 --cmd "$delay" & pid=$!
  sleep "$delay"
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  expect_exit 0 "$WHITTLE" image --quiet app --layout lay -t x:2 --cmd "$delay"
  [[ "$(names lay)" == "1 2 3 4 5" ]] || fail "after $delay s the layout has $(names lay)"
  expect_exit 0 "$WHITTLE" audit lay
  left=$(find lay -name '.*' ! -name .)
  [[ -z "$left" ]] || fail "left behind: $left"
done
