#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `--add` and a build file's `add` take folders, twice with the same bytes, and bundles of
# certificates and time zones of the system; what an image cannot have is refused.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/image.inc"
need gcc jq
printf 'void _start(void) { for (;;) __asm__ volatile("syscall" :: "a"(60), "D"(0)); }\n' >app.c
gcc -O2 -s -static -nostdlib -o app app.c

# paths ARCHIVE: what its layer has
paths() {
  local layer
  layer=$(tar -xOf "$1" manifest.json | jq -r '.[0].Layers[0]')
  tar -xOf "$1" "$layer" | tar -tz | paste -sd ' '
}

mkdir -p site/css site/empty
echo hello >site/index.html
echo body >site/css/main.css
ln -s index.html site/start
expect_exit 0 "$WHITTLE" image -q app -o one.tar --add site:/srv/site
# The same files made in another order, under another name.
mkdir -p copy/empty copy/css
ln -s index.html copy/start
echo body >copy/css/main.css
echo hello >copy/index.html
expect_exit 0 "$WHITTLE" image -q app -o two.tar --add copy:/srv/site
same one.tar two.tar
[[ "$(paths one.tar)" == "app srv/ srv/site/ srv/site/css/ srv/site/css/main.css srv/site/empty/ \
srv/site/index.html srv/site/start" ]] || fail "the layer has $(paths one.tar)"

# A folder into which the image is written.
expect_error 2 "$WHITTLE" image -q app -o site/app.tar --add site:/srv/site
expect_error 2 "$WHITTLE" image -q app --layout ./site/lay --add site:/srv/site
[[ ! -e site/app.tar && ! -e site/lay ]] || fail "the folder was written to"

# Links: one that leads nowhere is told of, one that leads above the root is refused.
ln -s ../gone site/gone
expect_exit 0 "$WHITTLE" image app -o one.tar --add site:/srv/site
grep -q "warning: the symbolic link /srv/site/gone leads to '../gone', which the image does not have" "$err" ||
  fail "nothing is said about the link: $(<"$err")"
ln -sfn ../../../etc/passwd site/gone
expect_error 2 "$WHITTLE" image -q app -o one.tar --add site:/srv/site
rm site/gone
mkfifo site/pipe
expect_error 3 "$WHITTLE" image -q app -o one.tar --add site:/srv/site
rm site/pipe

# A build file: its own folders, the system's certificates and zones, and no other file of the host.
build_with() {
  cat >build.yml <<END
build:
  steps:
    app: {whittle: {binary: app, pack: false, strip: false, image: {output: built.tar, $1}}}
END
}
build_with "add: ['site:/srv/'], add_dir: ['/tmp:1777', '/data:0700:65532:65532']"
expect_exit 0 "$WHITTLE" build -q
[[ "$(paths built.tar)" == "app data/ srv/ srv/site/ srv/site/css/ srv/site/css/main.css \
srv/site/empty/ srv/site/index.html srv/site/start tmp/" ]] || fail "the layer has $(paths built.tar)"
build_with "add: [/etc/shadow:/etc/shadow]"
expect_error 2 "$WHITTLE" build -q
build_with "add: [/usr/share/zoneinfo/../../../etc/shadow:/etc/shadow]"
expect_error 2 "$WHITTLE" build -q
ln -s /etc outside
build_with "add: [outside:/etc]"
expect_error 3 "$WHITTLE" build -q
bundle=/etc/ssl/certs/ca-certificates.crt
[[ -f $bundle ]] || skip "the system has no $bundle to add"
build_with "add: [$bundle:$bundle]"
expect_exit 0 "$WHITTLE" build -q
layer=$(tar -xOf built.tar manifest.json | jq -r '.[0].Layers[0]')
tar -xOf built.tar "$layer" | tar -xOz "${bundle#/}" >bundle
same bundle "$bundle"
