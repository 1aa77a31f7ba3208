#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `whittle audit` looks into archives and layouts, whoever wrote them, as a container would see them.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need jq gcc skopeo

audit() { "$WHITTLE" audit --format json "$1" | jq -r '.files[] | "\(.path) \(.verdict // .error)"'; }
gcc -O1 -static -o app "$SOURCE/samples/hello-c/hello.c"
gcc -O1 -o other "$SOURCE/samples/hello-c/hello.c"

"$WHITTLE" image -q app -o app.tar --layout layout
[[ $(audit app.tar) == "app.tar:/app static" ]] || fail "the archive: $(audit app.tar)"
[[ $(audit layout) == "layout:/app static" ]] || fail "the layout: $(audit layout)"
skopeo copy --quiet oci-archive:app.tar docker-archive:docker.tar:app:1 2>"$err" || skip "skopeo: $(<"$err")"
[[ $(audit docker.tar) == "docker.tar:/app static" ]] || fail "docker's archive: $(audit docker.tar)"
gzip -k docker.tar
[[ $(audit docker.tar.gz) == "docker.tar.gz:/app static" ]] || fail "compressed: $(audit docker.tar.gz)"

# A layer above takes one program away and adds another, which decides the exit status.
mkdir upper lower && cp app lower/app && cp other upper/other && touch upper/.wh.app
for layer in lower upper; do tar -C "$layer" -cf "$layer.tar" .; done
echo '[{"RepoTags":["two:1"],"Layers":["lower.tar","upper.tar"]}]' >manifest.json
tar -cf two.tar lower.tar upper.tar manifest.json
expect_exit 1 "$WHITTLE" audit two.tar
[[ $(audit two.tar || true) == "two.tar:/other dynamic" ]] || fail "two layers: $(audit two.tar || true)"
[[ ! -e other.tar && $(find . -name app | wc -l) -eq 2 ]] || fail "something was unpacked"
