#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is no executable file at all: empty, text, wrong magic, missing, a folder, a FIFO, a device,
# unreadable. One line on standard error, the documented status, no output, and never a hang.
source "${SOURCE:?}/tests/e2e/common.inc" || exit

: >empty
echo 'just text' >text
printf '\x7fELG\2\1\1' >wrong_magic && head -c 4096 /dev/zero >>wrong_magic
head -c 4096 /dev/zero >zeros
mkdir folder
mkfifo fifo
ln -s loop loop
chmod +x empty text wrong_magic zeros

check() {  # check INPUT CODES
  local input="$1" codes="$2"
  expect_error "$codes" timeout 10 "$WHITTLE" pack "$input" -o output
  expect_error "$codes" timeout 10 "$WHITTLE" strip "$input" -o output
  expect_error "$codes" timeout 10 "$WHITTLE" unpack "$input" -o output
  expect_error "$codes" timeout 10 "$WHITTLE" verify "$input"
  expect_error "$codes" timeout 10 "$WHITTLE" image "$input" -o output
  [[ ! -e output ]] || fail "an output was left for $input"
}
for input in empty text wrong_magic zeros; do
  check "$input" "3|4"
  expect_exit 1 "$WHITTLE" audit "$input"
done
for input in folder fifo /dev/zero /dev/null; do check "$input" 3; done
for input in missing loop folder/missing text/below; do
  check "$input" 5
  expect_error 5 timeout 10 "$WHITTLE" inspect "$input"
done
expect_exit "1|5" timeout 10 "$WHITTLE" audit missing
expect_exit "1|3" timeout 10 "$WHITTLE" audit fifo

# As a user who may not read it.
gcc -O2 -static -o secret -x c - <<<'int main(void) { return 0; }'
chmod 000 secret
cp "$WHITTLE" whittle && chmod 755 whittle
mkdir -m 777 open
for command in "pack secret -o open/output" "strip secret -o open/output" "inspect secret" \
  "verify secret" "unpack secret -o open/output" "image secret -o open/output"; do
  # shellcheck disable=SC2086
  expect_error 5 as_nobody "$scratch/whittle" $command
done
[[ -z "$(ls -A open)" ]] || fail "an output was left: $(ls -A open)"

# No arguments, unknown commands and options.
expect_exit 2 "$WHITTLE"
expect_exit 2 "$WHITTLE" no-such-command
expect_exit 2 "$WHITTLE" pack
expect_exit 2 "$WHITTLE" pack --no-such-option text
