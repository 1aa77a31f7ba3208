#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An OCI layout keeps images of other names and for other machines; skopeo and umoci find each of
# them; what nothing refers to any more is gone.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/image.inc"
need go skopeo umoci jq

printf 'package main\n\nfunc main() { println("hello") }\n' >main.go
printf 'module hello\ngo 1.19\n' >go.mod
for machine in amd64 arm64 riscv64; do
  CGO_ENABLED=0 GOARCH=$machine go build -trimpath -o "app.$machine" .
done
image() { expect_exit 0 "$WHITTLE" image --quiet --name /app "$@"; }
blobs() { find "$1/blobs" -type f | wc -l; }
# architecture LAYOUT:REF MACHINE: what skopeo takes for a machine
architecture() { skopeo --override-arch "$2" inspect --config "oci:$1" | jq -r '.architecture + " " + .config.Cmd[0]'; }

# Two names of one tag, both of them for skopeo and umoci; the tag alone leads to neither.
image app.amd64 --layout names -t api:1.4.0 --cmd api
[[ "$(architecture names:1.4.0 amd64)" == "amd64 api" ]] || fail "a sole image is not found by its tag"
image app.amd64 --layout names -t worker:1.4.0 --cmd worker
for name in api worker; do
  [[ "$(architecture names:$name:1.4.0 amd64)" == "amd64 $name" ]] || fail "skopeo finds no $name"
  run_in_runc "names:$name:1.4.0" >"$out" 2>"$err" || fail "$name does not run from the layout"
  grep -qx hello "$err" || fail "$name prints $(<"$err")"
done
expect_exit 1 skopeo inspect oci:names:1.4.0
[[ "$(jq -r '.manifests[].annotations["io.containerd.image.name"]' names/index.json | paste -sd ' ')" == \
  "docker.io/library/api:1.4.0 docker.io/library/worker:1.4.0" ]] || fail "names: $(<names/index.json)"

# Two machines under one name, then a third, and one of them again.
image app.amd64 --layout machines -t app:1 --cmd first
image app.arm64 --layout machines -t app:1 --cmd first
[[ "$(jq '.manifests | length' machines/index.json)" == 1 ]] || fail "not one name: $(<machines/index.json)"
image app.riscv64 --layout machines -t app:1 --cmd first
image app.amd64 --layout machines -t app:1 --cmd second
[[ "$(architecture machines:1 amd64)" == "amd64 second" ]] || fail "amd64: $(architecture machines:1 amd64)"
for machine in arm64 riscv64; do
  [[ "$(architecture machines:1 $machine)" == "$machine first" ]] || fail "$machine is lost"
done
# Three images and the index; the layer is the same for both images of amd64.
[[ "$(blobs machines)" == 10 ]] || fail "$(blobs machines) blobs: $(find machines)"
umoci gc --layout machines >/dev/null
[[ "$(blobs machines)" == 10 ]] || fail "umoci gc removes more than whittle"
skopeo copy --quiet --all oci:machines:1 oci:copied:app:1
expect_exit 0 "$WHITTLE" audit machines --format json
[[ "$(jq '.files | length' "$out")" == 3 ]] || fail "audit sees $(jq -c '[.files[].path]' "$out")"

# A layout that skopeo wrote, added to.
image app.amd64 --layout copied -t app:1 --cmd third
[[ "$(architecture copied:app:1 amd64)" == "amd64 third" ]] || fail "skopeo's index was not added to"
[[ "$(architecture copied:app:1 arm64)" == "arm64 first" ]] || fail "skopeo's index has lost arm64"
# What skopeo calls by a tag alone may be anything: it stays.
skopeo copy --quiet oci:machines:1 oci:tagged:1
image app.amd64 --layout tagged -t app:1 --cmd third
[[ "$(architecture tagged:1 amd64)" == "amd64 second" ]] || fail "another tool's tag was replaced"
[[ "$(architecture tagged:app:1 amd64)" == "amd64 third" ]] || fail "the image is not found by its name"
