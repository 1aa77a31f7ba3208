#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# On aarch64 and riscv64 as well a packed program sees the start that its original sees: stack,
# arguments, environment, auxiliary vector, program headers, thread-local storage, signals, limits,
# descriptors, threads. (Registers have a test of their own. What the emulator says of mappings is of
# the machine below: it joins what differs for the emulated program.)
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/machines.inc"
# shellcheck disable=SC2034  # names the program that machines.inc runs
subject_name=probe

compared=0
for machine in "${other_machines[@]}"; do
  need "$machine-linux-gnu-gcc"
  use_machine "$machine"
  kinds=(fixed pie)
  # Debian 12's glibc for riscv64 has no start file for position-independent static programs.
  if [[ $machine == riscv64 ]]; then kinds=(fixed); fi
  for kind in "${kinds[@]}"; do
    flags=(-static)
    if [[ $kind == pie ]]; then flags=(-static-pie -fPIE); fi
    original="$scratch/original"
    "$machine-linux-gnu-gcc" -O1 "${flags[@]}" -o "$original" "$SOURCE/tests/e2e/handoff_probe.c"
    pack_original
    for page in "${page_sizes[@]}"; do
      for form in original packed; do
        # Under one name, so that the stack is laid out the same.
        cp "${!form}" program
        file=./program
        (env -i PATH="$PATH" setarch -R "$emulator" -p "$page" -E A=1 -0 probe ./program one 'two words' '') >"$form.dump"
      done
      [[ $(wc -l <original.dump) -gt 100 ]] || fail "the probe saw little: $(cat original.dump)"
      # A position-independent program is elsewhere, and the emulator puts the stack behind it.
      ours() {
        sed -E "/^image /d$([[ $kind != pie ]] ||
          echo '; /^auxiliary (3|7|9|15|25|31|33) /d; /^(argument|stack)/s/ 0x[0-9a-f]+//g')" "$1"
      }
      diff <(ours original.dump) <(ours packed.dump) ||
        fail "$kind on $machine, pages of $page: the packed program sees another start"
      compared=$((compared + 1))
    done
  done
done
[[ $compared -eq 7 ]] || fail "compared $compared starts, not 7"
