#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The main job: `whittle build` of the Go service tells of five stages and leaves one image, twice
# the same bytes from two different folders, and the program's own files in place.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/image.inc"

build_image hello-http first
for stage in compile audit strip pack image; do
  grep -q "^\[hello\] $stage " "$err" || fail "the log does not tell of the stage $stage: $(<"$err")"
done
first="$archive"
mkdir -p a/different/place
build_image hello-http a/different/place
same "$first" "$archive" "two builds differ"

listing=$(tar -tf "$archive")
for member in manifest.json index.json oci-layout; do
  grep -qx "$member" <<<"$listing" || fail "the archive has no $member: $listing"
done
[[ "$(tar -xOf "$archive" manifest.json | jq '.[0].Layers | length')" == 1 ]] || fail "not one layer"
