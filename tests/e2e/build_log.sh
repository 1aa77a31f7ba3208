#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The log of a build's steps: tabs stay tabs; colours stay on a terminal and are dropped elsewhere;
# a carriage return starts the line again; nothing moves the cursor or sets a title. Of steps that
# fail together each is named.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need script

cat >build.yml <<'E'
build:
  steps:
    test:
      run: |
        printf 'ok  \texample.com/x\t0.01s\n'
        printf '\033[32mPASS\033[0m\033[K\n'
        printf '\033[1;31mred\nstill red\033[0m\n'
        printf ' 10 %%\r 50 %%\r100 %%\r\n'
        printf 'a\033[2Jb\033[1Ac\033]0;title\007d\033]8;;http://x\033\\e\033[?25lf\bg\n'
E
cat >plain <<'E'
ok  	example.com/x	0.01s
PASS
red
still red
100 %
abcdef\x08g
E
expect_exit 0 "$WHITTLE" build
grep '^\[test\] [^$]' "$err" | grep -v '\] compile' | sed 's/^\[test\] //' >log
diff plain log || fail "the log of a file is another"
! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' "$err" || fail "control characters in the log"

# on_terminal COMMAND: what it prints there, without the line ends that the terminal adds.
on_terminal() {
  TERM=xterm script -qec "$1" /dev/null </dev/null | tr -d '\r'
}
on_terminal "$WHITTLE build" >terminal
grep '^\[test\] ' terminal | grep -v '\$ printf\|mcompile ' | sed 's/^\[test\] //' >log
cat >coloured <<E
ok  	example.com/x	0.01s
$(printf '\033[32mPASS\033[0m')
$(printf '\033[1;31mred\033[0m')
$(printf '\033[1;31mstill red\033[0m')
100 %
abcdef\\x08g
E
diff coloured log || fail "the log of a terminal is another: $(cat -A terminal)"
# Of sequences there are only colours.
! sed 's/\x1b\[[0-9;]*m//g' terminal | LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' ||
  fail "more than colours on a terminal: $(cat -A terminal)"

on_terminal "NO_COLOR=1 $WHITTLE build" >terminal
! grep -q $'\x1b' terminal || fail "colours in spite of NO_COLOR: $(cat -A terminal)"

# Labels of steps are no different.
printf 'build: {steps: {"a\\e[2Jb": {run: "echo x; exit 1"}}}\n' >build.yml
expect_exit '1|2' "$WHITTLE" build
! grep -q $'\x1b' "$err" || fail "a control sequence out of a label: $(cat -A "$err")"

# Each waits for the other to be about to fail.
cat >build.yml <<'E'
build:
  steps:
    a:
      run: touch a; until [ -e b ]; do sleep 0.01; done; printf 'x\t\033[31my\033[0m\n'; exit 3
    b: {run: "touch b; until [ -e a ]; do sleep 0.01; done; exit 4"}
    c: {run: "sleep 60"}
E
expect_exit 1 "$WHITTLE" build -j 3
grep -q '^whittle: build.yml: step `a`: the command failed with exit status 3' "$err" || fail "$(<"$err")"
grep -q '^whittle: build.yml: step `b`: the command failed with exit status 4' "$err" || fail "$(<"$err")"
grep -qx '\[c\] stopped' "$err" || fail "does not say what was stopped: $(<"$err")"
grep -qx $'  x\ty' "$err" || fail "the end of the output is another: $(cat -A "$err")"
