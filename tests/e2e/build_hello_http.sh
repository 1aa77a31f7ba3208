#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The main job: `whittle build` of the Go service tells of five stages and leaves one image, twice
# the same bytes from two different folders, and the program's own files in place.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/image.inc"

build_image hello-http first
for stage in built stripped packed layer image; do
  grep -qwE "$stage" "$err" "$out" || fail "the log does not tell of the stage '$stage': $(<"$err")"
done
first="$archive"
mkdir -p a/different/place
build_image hello-http a/different/place
same "$first" "$archive" "two builds differ"

tar -tf "$archive" | grep -qx 'manifest.json' || fail "no manifest.json in the archive"
tar -tf "$archive" | grep -qx 'oci-layout' || fail "no oci-layout in the archive"
[[ "$(tar -xOf "$archive" manifest.json | jq '.[0].Layers | length')" == 1 ]] || fail "not one layer"
