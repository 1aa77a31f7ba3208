#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The image of every sample, unpacked by umoci, runs in runc and prints the program's greeting.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/image.inc"

for sample in hello-http hello-c hello-pie hello-musl; do
  build_image "$sample" "$sample"
  unpack_archive "$archive" "$sample/layout"
  tag=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' "$sample/layout/index.json")
  arguments=()
  [[ $sample != hello-http ]] || arguments=(--greet)
  expect_exit 0 run_in_runc "$sample/layout:$tag" "${arguments[@]}"
  grep -q '^Hello, world' "$out" || fail "$sample does not greet: $(<"$out")"
done

# The process is the numeric user of the image, and the program's exit status is the container's.
unpack_archive "$archive" layout
bundle_user=$(jq -r '.config.User' "layout/blobs/sha256/$(jq -r '.manifests[0].digest' layout/index.json |
  sed 's/sha256://' | xargs -I{} jq -r .config.digest layout/blobs/sha256/{} | sed 's/sha256://')")
[[ "$bundle_user" == 65532:65532 ]] || fail "the image's user is '$bundle_user'"
expect_exit 7 run_in_runc "layout:$tag" --exit 7
