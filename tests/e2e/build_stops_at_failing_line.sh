#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A step's script stops at its first failing line, whatever kind of failure it is, and ships
# nothing. The log shows each line before its output, and none that did not run.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
tiny_program tiny

# build_of SCRIPT: writes a build file whose only step runs the script and ships ./app.
build_of() {
  rm -rf work
  mkdir work
  cp tiny work/app
  {
    printf 'build:\n  steps:\n    s:\n      run: |\n'
    echo "        ${1//$'\n'/$'\n'        }"
    printf '      whittle: {binary: app, pack: false}\n'
  } >work/build.yml
}

# stops STATUS LINE SCRIPT: that line of the script fails, with an exit status of that form.
stops() {
  build_of "$3"
  expect_exit 1 "$WHITTLE" build -d work
  [[ ! -e work/app.tar && ! -e work/after ]] || fail "went on after: $3"
  local line
  line=$(sed -n "$2p" <<<"$3")
  grep -qF "line $2 of its script (\`$line" "$err" || fail "does not name line $2: $(<"$err")"
  grep -q "failed with exit status $1" "$err" || fail "status is not $1: $(<"$err")"
  ! grep -qF '$ touch after' "$err" || fail "shows a line that did not run: $(<"$err")"
}

stops 1 2 $'true\nfalse\ntouch after'
stops 1 1 $'false && true\ntouch after'
stops '[12]' 1 $'cd nowhere && make\ntouch after'
stops 1 1 $'! true\ntouch after'
stops 1 1 $'true; false; true\ntouch after'
stops 3 2 $'f() { exit 3; }\nf\ntouch after'
stops 4 1 $'(exit 4)\ntouch after'
stops 5 1 $'true | (exit 5)\ntouch after'
stops 1 1 $'x=$(false)\ntouch after'
stops 127 2 $'# a comment\nno-such-command\ntouch after'
stops 1 1 $'if true; then\n  false\n  touch after\nfi\ntouch after'
stops 1 2 $'set -x\nfalse\ntouch after'

# goes_on SCRIPT: it does to its end, and the binary is shipped.
goes_on() {
  build_of "$1"
  expect_exit 0 "$WHITTLE" build -d work
  [[ -s work/app.tar && -e work/after ]] || fail "did not go on: $1: $(<"$err")"
}
goes_on $'#!/bin/sh\nfalse || true\ntouch after'
goes_on $'set +e\nfalse\n[ $? = 1 ] && touch after'
goes_on $'if false; then\n  exit 1\nfi\nwhile false; do\n  exit 1\ndone\ntouch after'
goes_on $'! false\nfalse | true\ntouch after'
goes_on $'cat >out <<E\nfalse\nE\nfor i in 1 \\\n  2; do\n\tx=$i\ndone\n[ $x = 2 ]\ncd / && cd "$OLDPWD"\ntouch after'
goes_on $'exec 9>lock\nset -u\nset -f\nIFS=0123456789\ntouch after'
[[ -e work/lock && ! -s work/lock ]] || fail "a mark went into a file of the script"
# Line numbers in the shell's own messages, if it has any, are those of the script.
build_of $'true\n\ntrue\nno-such-command'
expect_exit 1 "$WHITTLE" build -d work
grep -qE '(: (line )?4|sh): no-such-command: ' "$err" || fail "another line number: $(<"$err")"

# The order of the log.
build_of $'printf one\necho two >&2\ncat <<E\n\tthree\nE\nfalse\ntouch after'
expect_exit 1 "$WHITTLE" build -d work
cat >expected <<'E'
[s] $ printf one
[s] one
[s] $ echo two >&2
[s] two
[s] $ cat <<E
[s] $ 	three
[s] $ E
[s] 	three
[s] $ false
whittle: work/build.yml: step `s`: line 6 of its script (`false`) failed with exit status 1; the end of its output:
  one
  two
  	three
E
diff expected "$err" || fail "the log is another"

# Lines appear as they run, not when all is over.
build_of $'echo begun\nuntil [ -e go ]; do sleep 0.05; done\ntouch after'
"$WHITTLE" build -d work >"$out" 2>log &
pid=$!
until grep -q '^\[s\] \$ until' log; do sleep 0.05; done
grep -q '^\[s\] begun' log || fail "output came late: $(<log)"
! grep -q 'touch after' log || fail "a line came early: $(<log)"
touch work/go
wait "$pid" || fail "status $?: $(<log)"

# Another interpreter cannot be asked for, and a script has an end.
build_of $'#!/usr/bin/env bash\ntouch after'
expect_error 2 "$WHITTLE" build -d work
grep -q 'asks for `/usr/bin/env bash`' "$err" || fail "$(<"$err")"
build_of "$(seq -f 'true %g' 1001)"
expect_error 2 "$WHITTLE" build -d work
