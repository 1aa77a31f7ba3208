#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `whittle audit` reads the images of umoci, skopeo and Docker's engine, whatever they are compressed by,
# with whiteouts, opaque folders, hard links and a merged /usr; and it agrees with umoci, which unpacks
# them, on what there is and on whether it starts.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/dockerd.inc"
need jq gcc skopeo umoci gzip zstd xz bzip2 busybox tar

gcc -O1 -static -o app "$SOURCE/samples/hello-c/hello.c"
gcc -O1 -o dynamic "$SOURCE/samples/hello-c/hello.c"
shell=$(readlink -f "$(command -v busybox)")

# What an audit says is in an image: names without the image's own, sorted.
programs() { "$WHITTLE" audit --format json "$1" | jq -r '.files[] | "\(.path | sub("^[^:]*:"; "")) \(.verdict // .error)"' | sort; }
starts() { "$WHITTLE" audit --format json "$1" | jq -r '.images[0].entrypoint.starts'; }
expect_programs() {  # expect_programs IMAGE LINE...
  local found
  found=$(programs "$1" || true)
  [[ "$found" == "$(printf '%s\n' "${@:2}" | sort)" ]] || fail "in $1 there is: $found"
}

# ---- umoci: three layers over one another.
rootfs() { mkdir -p bundle/rootfs/"$1"; }
umoci init --layout layout
umoci new --image layout:1
umoci unpack --rootless --image layout:1 bundle 2>"$err" || umoci unpack --image layout:1 bundle
rootfs usr/bin; rootfs usr/lib; rootfs opt/old
ln -s usr/bin bundle/rootfs/bin
ln -s usr/lib bundle/rootfs/lib
cp "$shell" bundle/rootfs/usr/bin/busybox
ln bundle/rootfs/usr/bin/busybox bundle/rootfs/usr/bin/sh
ln -s busybox bundle/rootfs/usr/bin/env
cp app bundle/rootfs/opt/old/one
cp dynamic bundle/rootfs/opt/old/two
printf '#!/bin/sh\nexec app\n' >bundle/rootfs/usr/bin/start
chmod 755 bundle/rootfs/usr/bin/start
umoci repack --image layout:1 bundle 2>"$err"
rm bundle/rootfs/usr/bin/busybox                  # a whiteout; sh is another name of it
rm -r bundle/rootfs/opt/old && mkdir bundle/rootfs/opt/old
cp app bundle/rootfs/opt/old/three                # what was in the folder is gone
umoci repack --image layout:2 bundle 2>"$err"
cp app bundle/rootfs/usr/bin/app
umoci repack --image layout:3 bundle 2>"$err"
umoci config --image layout:3 --config.entrypoint start --config.env PATH=/bin --config.user 1000

skopeo copy --quiet oci:layout:1 oci:first:1
expect_programs first "/opt/old/one static" "/opt/old/two dynamic" "/usr/bin/busybox static"
skopeo copy --quiet oci:layout:3 oci:third:3
expect_programs third "/opt/old/three static" "/usr/bin/app static" "/usr/bin/sh static"
[[ $(starts third) == yes ]] || fail "the third image does not start: $("$WHITTLE" audit third)"
# The three of them are told apart by their tags.
"$WHITTLE" audit --format json layout | jq -r '.images[].path' | sort >names || true
printf 'layout[%s]\n' 1 2 3 >expected
same expected names "the tags are not the names of the images: $(<names)"

# What umoci unpacks is what the audit saw.
umoci unpack --rootless --image layout:3 unpacked 2>"$err"
# shellcheck disable=SC2094
(cd unpacked/rootfs && find . -type f -perm -100 -exec sh -c 'head -c 4 "$1" | grep -q ELF' _ {} \; -print | sed 's/^\.//' | sort) >unpacked.txt
programs third | sed 's/ .*//' >seen.txt
same unpacked.txt seen.txt "umoci unpacked: $(<unpacked.txt)"

# ---- skopeo: other forms and other compressions of the same image.
expected=("/opt/old/three static" "/usr/bin/app static" "/usr/bin/sh static")
skopeo copy --quiet oci:third:3 docker-archive:docker.tar:app:3
expect_programs docker.tar "${expected[@]}"
skopeo copy --quiet oci:third:3 dir:dir
expect_programs dir "${expected[@]}"
skopeo copy --quiet oci:third:3 oci-archive:oci.tar:3
expect_programs oci.tar "${expected[@]}"
for format in gzip zstd; do
  if skopeo copy --quiet --dest-compress-format "$format" --dest-compress dir:dir "dir:dir-$format" 2>"$err"; then
    expect_programs "dir-$format" "${expected[@]}"
  fi
done
for tool in gzip zstd xz bzip2; do
  "$tool" -c docker.tar >"docker.tar.$tool"
  expect_programs "docker.tar.$tool" "${expected[@]}"
done
mkdir folder && tar -xf docker.tar -C folder
expect_programs folder "${expected[@]}"

# ---- Docker's engine.
start_dockerd
docker load --quiet --input docker.tar >"$out"
mkdir context && cp dynamic context/
printf 'FROM app:3\nUSER 0\nCOPY dynamic /usr/bin/other\nRUN rm -r /opt/old\nCMD ["other"]\nENTRYPOINT []\n' >context/Dockerfile
DOCKER_BUILDKIT=0 docker build --quiet --network none --tag app:4 context >"$out" 2>"$err" || fail "docker build: $(<"$err")"
docker save --output saved.tar app:3 app:4
expect_exit 1 "$WHITTLE" audit --format json saved.tar
jq -e '[.images[].tags[0]] == ["app:3", "app:4"] or [.images[].tags[0]] == ["app:4", "app:3"]' "$out" >/dev/null ||
  fail "the images are $(jq -c '[.images[].tags]' "$out")"
jq -e '[.images[] | {(.tags[0]): .entrypoint.starts}] | add == {"app:3": "yes", "app:4": "no"}' "$out" >/dev/null ||
  fail "they start: $(jq -c '[.images[].entrypoint]' "$out")"
jq -e '[.files[].path | select(contains("/opt/old"))] == ["saved.tar[app:3]:/opt/old/three"]' "$out" >/dev/null ||
  fail "what was removed is there: $(jq -c '[.files[].path]' "$out")"
jq -e '[.images[].verified] | all' "$out" >/dev/null || fail "not all of them are verified"
# The engine says the same.
expect_exit 0 docker run --rm --network none --user 0 --entrypoint /usr/bin/app app:3
run docker run --rm --network none app:4
[[ $status -ne 0 ]] || fail "the engine starts a program without its libraries"
