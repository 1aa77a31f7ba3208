#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A packed program for aarch64 or riscv64, emulated, does what its original does, on every page size
# of the machine; its damage is found; it gives its original back bit for bit.
# at each level
# timeout: 600
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
source "$SOURCE/tests/e2e/machines.inc"
need go

build() {  # build OUTPUT: $subject_name for $machine
  local cc="$machine-linux-gnu-gcc"
  case "$subject_name" in
    hello-c) "$cc" -O2 -static -o "$1" "$SOURCE/samples/hello-c/hello.c" ;;
    hello-pie) "$cc" -O2 -static-pie -fpie -o "$1" "$SOURCE/samples/hello-c/hello.c" ;;
    hello-http) GOARCH=${go_names[$machine]} build_sample hello-http "$1" ;;
  esac
}

count=0
for machine in "${other_machines[@]}"; do
  need "$machine-linux-gnu-gcc"
  use_machine "$machine"
  for subject_name in hello-c hello-pie hello-http; do
    # Debian 12's glibc for riscv64 has no start file for position-independent static programs; the
    # test of the registers has such a program that needs no libc.
    if [[ $machine/$subject_name == riscv64/hello-pie ]]; then
      echo "left out: a position-independent static C program for riscv64, which cannot be linked here"
      continue
    fi
    original="$scratch/original"
    build "$original"
    pack_original
    expect_damage_is_found
    for page in "${page_sizes[@]}"; do
      while IFS= read -r command; do
        expect_same_behaviour "$command (pages of $page)" eval "$command"
        count=$((count + 1))
      done < <(commands_of "$subject_name")
      for variables in 0 1 500 5000; do
        expect_same_behaviour "with $variables variables (pages of $page)" \
          with_variables "$variables" probe "$subject_name" x
      done
    done
  done
done
[[ $count -ge 60 ]] || fail "only $count commands"

echo "$count commands behave the same"
