#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Mode, owner and times go from the program to its packed form; links of either kind are followed or
# replaced as documented in `whittle help pack`, and never written through to another file.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need busybox

cp "$(command -v busybox)" program
chmod 751 program
touch -d '2001-02-03 04:05:06.789' program
[[ $(id -u) -ne 0 ]] || chown 1234:2345 program
attributes() { stat -c "${2:-%a %u %g %y}" "$1"; }

"$WHITTLE" pack --quiet program
[[ $(attributes program.packed) == "$(attributes program)" ]] ||
  fail "kept $(attributes program.packed) of $(attributes program)"

"$WHITTLE" pack --quiet --no-preserve program -o fresh
[[ $(attributes fresh %a) == 751 ]] || fail "the mode is $(attributes fresh %a)"
[[ $(attributes fresh %u) == "$(id -u)" ]] || fail "the owner is $(attributes fresh %u)"
[[ fresh -nt program ]] || fail "the time was kept"

# A set-uid program that a user may not give away loses that bit.
if [[ $(id -u) -eq 0 ]]; then
  chmod 4755 program
  expect_error 3 "$WHITTLE" pack program -o privileged
  grep -q '\[privileged\]' "$err" || fail "no reason code: $(cat "$err")"
  "$WHITTLE" pack --quiet --allow-privileged program -o privileged
  [[ $(attributes privileged '%a %u') == '4755 1234' ]] || fail "$(attributes privileged)"
  # The rights of a set-uid bit are those of its owner, not of who happens to pack it.
  "$WHITTLE" pack --quiet --allow-privileged --no-preserve program -o taken
  [[ $(attributes taken '%a %u') == "755 $(id -u)" ]] || fail "taken over: $(attributes taken)"
  chmod 2755 program
  "$WHITTLE" pack --quiet --allow-privileged --no-preserve program -o taken
  [[ $(attributes taken %a) == 755 ]] || fail "a group's rights are taken over: $(attributes taken)"
  chmod 4755 program
  run "$WHITTLE" inspect program
  grep -qF "[privileged]" "$out" || fail "inspect does not tell: $(<"$out")"
  chmod 777 .
  as_nobody "$WHITTLE" pack --quiet --allow-privileged program -o given
  [[ $(attributes given %a) == 755 ]] || fail "a stranger's set-uid program: $(attributes given)"
  chmod 751 program

  # File capabilities as well.
  need setcap getcap
  chmod 755 program
  setcap cap_net_bind_service+ep program || skip "this file system keeps no file capabilities"
  expect_error 3 "$WHITTLE" pack program -o capable
  grep -q '\[privileged\]' "$err" || fail "no reason code: $(cat "$err")"
  "$WHITTLE" pack --quiet --allow-privileged program -o capable
  [[ $(getcap capable) == *cap_net_bind_service* ]] || fail "capabilities are lost: $(getcap capable)"
  as_nobody "$WHITTLE" pack --quiet --allow-privileged program -o stranger 2>messages
  [[ -z $(getcap stranger) && $(<messages) == *"without the file capabilities"* ]] ||
    fail "a stranger's capabilities: $(getcap stranger) $(<messages)"
  setcap -r program
  chmod 751 program
fi

# A symbolic link as input is followed; as output, what it leads to is replaced and it stays a link.
ln -s program link && echo old >target && ln -s target output
"$WHITTLE" pack --quiet link -o output
[[ -L output && -L link ]] || fail "a link was replaced"
cmp -s target program.packed || fail "the link's target was not written"

ln -s nowhere dangling
expect_error 5 "$WHITTLE" pack link -o dangling
[[ -L dangling && ! -e nowhere ]] || fail "a link that leads nowhere was replaced"

# Of a hard link only the named one is replaced.
echo old >one && ln one two
"$WHITTLE" pack --quiet program -o one
[[ $(cat two) == old ]] || fail "the other name of the output was written to"
