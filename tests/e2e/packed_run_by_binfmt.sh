#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Where the kernel hands programs for other machines to an emulator (binfmt_misc), packed ones start by
# their name alone, as their originals do: the kernel and the emulator know a packed file for what it is.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
source "$SOURCE/tests/e2e/machines.inc"

# with_handlers COMMAND...: in a user namespace, which has handlers of its own (Linux 6.7).
# shellcheck disable=SC2016  # expanded by the inner shell
with_handlers() {
  unshare --user --map-root-user --mount -- "$BASH" -c '
    mount -t binfmt_misc none /mnt && printf "%s" "$1" >/mnt/register || exit 99
    shift; exec "$@"' -- "$handler" "$@"
}
program() { with_handlers "$file" "$@"; }

# The ELF header's first 20 bytes: 64 bits, little-endian, ET_EXEC or ET_DYN, the machine.
handler_of() {  # handler_of MACHINE NUMBER
  local bytes='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00'
  local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  printf '%s\n' ":whittle:M::$bytes$2\\x00:$mask:$(command -v "qemu-$1-static"):F"
}
declare -A numbers=([aarch64]='\xb7' [riscv64]='\xf3')

subject_name=hello-c
for machine in "${other_machines[@]}"; do
  need "$machine-linux-gnu-gcc" "qemu-$machine-static" unshare
  handler=$(handler_of "$machine" "${numbers[$machine]}")
  with_handlers true 2>/dev/null || skip "handlers of one's own are not to be had here (before Linux 6.7)"
  original="$scratch/original"
  "$machine-linux-gnu-gcc" -O2 -static -o "$original" "$SOURCE/samples/hello-c/hello.c"
  pack_original
  for arguments in "one two" "--env" "--exit 7"; do
    # shellcheck disable=SC2086
    expect_same_behaviour "on $machine: $arguments" program $arguments
  done
  [[ $(<"$scratch/.original.seen/status") -eq 7 ]] || fail "the original ends with $(<"$scratch/.original.seen/status")"
done
