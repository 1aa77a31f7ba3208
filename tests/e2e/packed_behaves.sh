#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A packed program does what the original does: the same output, errors and exit status.
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
subject_name="$1"
subject "$subject_name"

make_inputs() {
  rm -rf inputs && mkdir inputs
  printf 'a first line, lower case\nand a second\n' >inputs/input.txt
  touch -d @1000000000 inputs/input.txt
  cat >inputs/input.js <<'JS'
import { join } from "./other.js";
export class Greeter { #name; constructor(name) { this.#name = name ?? "world"; }
  greet() { return join("Hello,", `${this.#name}!`) } }
console.log(new Greeter().greet(), 2 ** 10, [..."abc"].map((x) => x + x));
JS
  echo 'export const join = (...words) => words.join(" "); export const unused = 1;' >inputs/other.js
}
in_inputs() {
  make_inputs
  (cd inputs && eval "$1")
}

count=0
while IFS= read -r command; do
  expect_same_behaviour "$command" in_inputs "$command"
  count=$((count + 1))
done < <(commands_of "$subject_name")
[[ $count -ge 6 ]] || fail "only $count commands"

echo "$count commands of $subject_name behave the same"
