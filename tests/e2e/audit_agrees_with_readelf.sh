#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# On every executable of this system: dynamic is what readelf sees an interpreter or a needed library
# in; position-independent, executable stacks and symbols are seen alike.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need readelf jq

expect_exit '0|1' "$WHITTLE" audit --format json /usr/bin
jq -r '.files[] | select(.verdict) | [.path, if .verdict == "static" or .verdict == "static-pie" then
  "static" else "dynamic" end, .hardening.pie, .hardening.nx, (if .stripped then "stripped" else
  "symbols" end)] | @tsv' "$out" >ours
[[ $(wc -l <ours) -gt 50 ]] || fail "there are only $(wc -l <ours) executables in /usr/bin"
jq -e '.totals.errors == 0' "$out" >/dev/null || fail "errors: $(jq -c '.files[] | select(.error)' "$out")"

while IFS=$'\t' read -r path _; do
  readelf --wide --file-header --segments --dynamic --sections "$path" 2>/dev/null >text
  kind=static pie=no nx=yes symbols=stripped
  if grep -qE '^ *INTERP|\(NEEDED\)' text; then kind=dynamic; fi
  if grep -qE '^ *Type: *DYN' text; then pie=yes; fi
  if grep -qE '^ *GNU_STACK.* RWE ' text; then nx=no; fi
  if grep -qE '\] \.symtab ' text; then symbols=symbols; fi
  printf '%s\t%s\t%s\t%s\t%s\n' "$path" "$kind" "$pie" "$nx" "$symbols"
done <ours >readelfs
diff readelfs ours >differences || fail "$(head -n 10 differences)"
echo "$(wc -l <ours) executables"
