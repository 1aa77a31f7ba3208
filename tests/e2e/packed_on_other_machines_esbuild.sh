#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A large published program for aarch64 and riscv64, packed and emulated, does what its original does.
# at each level
# label: slow at other levels
# timeout: 600
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
source "$SOURCE/tests/e2e/machines.inc"
subject_name=esbuild

echo 'export const join = (...words) => words.join(" "); export const unused = 1;' >other.js
echo 'import { join } from "./other.js"; console.log(join("Hello,", [..."abc"], 2 ** 10));' >input.js
for machine in "${other_machines[@]}"; do
  use_machine "$machine"
  corpus "@esbuild/linux-${go_names[$machine]}" bin/esbuild
  pack_original
  expect_damage_is_found
  for page in "${page_sizes[@]}"; do
    for arguments in --version '--minify input.js' '--bundle input.js' 'missing.js --bundle' --no-such; do
      read -ra words <<<"$arguments"
      expect_same_behaviour "$arguments (pages of $page)" program "${words[@]}"
    done
    expect_same_behaviour "with 500 variables (pages of $page)" with_variables 500 probe esbuild x
  done
done
