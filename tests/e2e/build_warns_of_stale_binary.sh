#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A step that writes elsewhere ships yesterday's binary, and says so: in the log and in every form of
# the report. One that has made its binary says nothing.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
tiny_program source
cp source app
touch -d '2024-02-03 04:05:06 UTC' app
warning='`app` is shipped, but this step did not change it; last changed 2024-02-03 04:05:06 UTC'

cat >build.yml <<'E'
build:
  steps:
    make: {run: cp source ap, whittle: {binary: app, pack: false}}
E
expect_exit 0 "$WHITTLE" build
grep -qxF "[make] warning: $warning" "$err" || fail "the log does not warn: $(<"$err")"
grep -qxF "  warning: $warning" "$out" || fail "the report does not warn: $(<"$out")"
expect_exit 0 "$WHITTLE" build --format markdown
grep -qF -- '- warning: \`app\` is shipped, but this step did not change it; last changed 2024' "$out" ||
  fail "the Markdown report does not warn: $(<"$out")"
expect_exit 0 "$WHITTLE" build --format json
[[ "$(jq -r '.steps[0].warnings[]' "$out")" == "$warning" ]] || fail "$(<"$out")"
[[ "$(jq -r '.steps[0].size_report.warnings[]' "$out")" == "$warning" ]] || fail "$(<"$out")"

# silent STEPS: builds without any warning.
silent() {
  printf 'build:\n  steps:\n%s\n' "$1" >build.yml
  for _ in 1 2; do
    expect_exit 0 "$WHITTLE" build --format json
    [[ "$(jq '[.steps[].warnings[]] | length' "$out")" == 0 ]] || fail "warns: $1: $(<"$out")"
    ! grep -q warning "$err" || fail "warns: $1: $(<"$err")"
  done
}
silent '    make: {run: cp source app, whittle: {binary: app, pack: false}}'
silent '    make: {run: cp -p source app, whittle: {binary: app, pack: false}}'
silent '    make: {run: "cp source new; mv new app", whittle: {binary: app, pack: false}}'
silent '    ship: {whittle: {binary: app, pack: false}}'
silent '    make: {run: cp source app}
    ship: {run: "test -x app", whittle: {binary: app, pack: false}, depends_on: [make]}'
silent '    make: {run: "cp source app", artifacts: ["app:dist"]}
    ship: {whittle: {binary: dist/app, pack: false}, depends_on: [make]}'

# What a step hands on and did not make is as old as what it makes itself.
touch -d '2024-02-03 04:05:06 UTC' app
cat >build.yml <<'E'
build:
  steps:
    make: {run: cp source ap, artifacts: ["app:dist"]}
    ship: {whittle: {binary: dist/app, pack: false}, depends_on: [make]}
E
expect_exit 0 "$WHITTLE" build
grep -q '^\[ship\] warning: `dist/app` is shipped, but step `make` did not change `app`' "$err" ||
  fail "$(<"$err")"

# All other warnings of a step are in its report, too.
chmod 4755 app
printf 'build: {steps: {s: {whittle: {binary: app, pack: false}}}}\n' >build.yml
expect_exit 0 "$WHITTLE" build --format json
[[ "$(jq -r '.steps[0].size_report.warnings[]' "$out")" == *"set-uid"* ]] || fail "$(<"$out")"
expect_exit 0 "$WHITTLE" image app -o app.tar --format json
[[ "$(jq -r '.warnings[]' "$out")" == *"set-uid"* ]] || fail "$(<"$out")"
