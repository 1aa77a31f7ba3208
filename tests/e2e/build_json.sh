#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `whittle build --format json` prints one document: every step, in the order of the plan, with its
# platform, its warnings and its size report; also where a step fails. Nothing else is on standard
# output, and nothing at all where nothing ran.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
tiny_program app

# document FILTER EXPECTED: of the document on standard output.
document() {
  [[ "$(jq -s length "$out")" == 1 ]] || fail "not one document: $(<"$out")"
  [[ "$(jq -c "$1" "$out")" == "$2" ]] || fail "$1 is not $2 in $(<"$out")"
}

cat >build.yml <<'E'
build:
  steps:
    second: {depends_on: [first], whittle: {binary: app, image: {output: second.tar}}}
    first: {run: "true"}
    third: {name: third:1, whittle: {binary: app, pack: false, image: {output: third.tar}}}
E
expect_exit 0 "$WHITTLE" build --format json
document '[.schema, .build_file, .status]' '["whittle.build/1","build.yml","done"]'
document '[.steps[] | .step]' '["first","second","third"]'
document '[.steps[] | .status]' '["done","done","done"]'
platform="linux/$(dpkg --print-architecture)"
document '[.steps[] | .platform]' "[null,\"$platform\",\"$platform\"]"
document '[.steps[] | .size_report.schema]' '[null,"whittle.size-report/1","whittle.size-report/1"]'
document '.steps[2].size_report | [.subject, .image_reference, .output]' '["app","third:1","third.tar"]'
document '.steps[2].size_report.stages | map(.name)' '["built","stripped","layer","image"]'
document '[.steps[] | .error, .warnings]' '[null,[],null,[],null,[]]'
cp "$out" first_time
expect_exit 0 "$WHITTLE" build --format json
same first_time "$out" "two builds have different documents"

cat >build.yml <<'E'
build:
  steps:
    ships: {whittle: {binary: app, pack: false}}
    fails: {run: "echo why; exit 3", depends_on: [ships]}
    never: {run: "true", depends_on: [fails]}
E
expect_exit 1 "$WHITTLE" build --format json
document '[.status, (.steps[] | .step, .status)]' \
  '["failed","ships","done","fails","failed","never","not-started"]'
document '[.steps[] | .size_report != null]' '[true,false,false]'
document '.steps[1].error' \
  '{"kind":"failed","message":"the command failed with exit status 3; the end of its output:\n  why"}'
grep -q '^whittle: build.yml: step `fails`: the command failed' "$err" || fail "$(<"$err")"

# The other formats have no report of a build that failed.
expect_exit 1 "$WHITTLE" build
[[ ! -s "$out" ]] || fail "text: $(<"$out")"
expect_exit 1 "$WHITTLE" build --format json --quiet
[[ ! -s "$out" ]] || fail "--quiet: $(<"$out")"

# A failure to ship has its own kind and exit status.
printf '\177ELF' >broken
echo 'build: {steps: {s: {whittle: {binary: broken}}}}' >build.yml
expect_exit 4 "$WHITTLE" build --format json
document '[.status, .steps[0].status, .steps[0].error.kind]' '["failed","failed","malformed"]'

# A mistake in the file is found before anything runs.
echo 'build: {steps: {s: {run: "true", no: x}}}' >build.yml
expect_error 2 "$WHITTLE" build --format json
echo 'build: {steps: {s: {dockerfile: Dockerfile}}}' >build.yml
expect_error 3 "$WHITTLE" build --format json

# An interrupted build has no document.
echo 'build: {steps: {s: {run: "touch started; sleep 60"}}}' >build.yml
"$WHITTLE" build --format json >"$out" 2>"$err" &
pid=$!
until [[ -e started ]]; do sleep 0.02; done
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
[[ $status -eq 143 && ! -s "$out" ]] || fail "interrupted: status $status, $(<"$out")"
