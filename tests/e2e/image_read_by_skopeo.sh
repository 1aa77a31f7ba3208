#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# skopeo reads the archive both as an OCI archive and as a Docker archive, with the same content.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/image.inc"
need skopeo jq

build_image hello-c work
expect_exit 0 skopeo inspect "oci-archive:$archive"
oci_layers=$(jq -c .Layers "$out")
[[ "$(jq -r .Architecture "$out")" == amd64 && "$(jq -r .Os "$out")" == linux ]] ||
  fail "platform: $(<"$out")"
expect_exit 0 skopeo inspect --config "oci-archive:$archive"
oci_config=$(<"$out")
expect_exit 0 skopeo inspect --config "docker-archive:$archive"
[[ "$(<"$out")" == "$oci_config" ]] || fail "the two configs differ"
expect_exit 0 skopeo copy --quiet "docker-archive:$archive" "oci:copied:1"
expect_exit 0 skopeo copy --quiet "oci-archive:$archive" "dir:plain"
[[ "$(jq -c '[.layers[].digest]' plain/manifest.json)" == "$oci_layers" ]] || fail "layers differ"
