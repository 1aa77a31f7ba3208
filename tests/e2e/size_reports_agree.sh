#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `image` makes one size report, whatever renders it: on standard output and in a file, with the same
# sizes. With --no-weigh nothing is compressed for it, and it says so. The lightest pull that it names
# is one of the whole image, and not the one that was just made.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need jq
subject hello-c
cp "$original" app

wires='[.stages[] | select(.name != "image") | .wire_gzip_bytes, .wire_zstd_bytes]'
expect_exit 0 "$WHITTLE" image app -o app.tar --format json
cp "$out" alone.json
[[ "$(jq "$wires | all(. > 1000)" alone.json)" == true ]] || fail "sizes are missing: $(<alone.json)"
expect_exit 0 "$WHITTLE" image app -o app.tar --format json --report report.json
same "$out" report.json "the two reports differ"
same alone.json report.json "the report depends on --report"
expect_exit 0 "$WHITTLE" image app -o app.tar -q --report quiet.json
same quiet.json report.json "the report depends on --quiet"
[[ "$(jq '.stages[] | select(.name == "layer") | .wire_gzip_bytes == .disk_bytes' report.json)" == true ]] ||
  fail "the layer's size is not the layer's"
expect_exit 0 "$WHITTLE" image app -o app.tar --report report.txt
for size in $(jq -r "$wires | .[]" report.json); do
  tr -d , <report.txt | grep -qw "$size" || fail "the text has no $size: $(<report.txt)"
done

expect_exit 0 "$WHITTLE" image app -o app.tar --no-weigh --format json --report report.txt
[[ "$(jq "$wires | all(. == null)" "$out")" == true ]] || fail "weighed all the same: $(<"$out")"
[[ "$(jq '.verdicts | any(test("--no-weigh"))' "$out")" == true ]] || fail "does not say so"
grep -q 'layers is not known (--no-weigh)' report.txt || fail "does not say so: $(<report.txt)"
grep -qE '^  layer .* - +- +- +-  gzip$' report.txt || fail "no '-' in: $(<report.txt)"

# An image with five times as much besides, which nothing compresses; and a program of zeros, which
# packing makes smaller, and heavier to pull.
cat >zeros.c <<'END'
char zeros[200000] = {1};
void _start(void) { __asm__ volatile("mov $60, %%eax\n mov $0, %%edi\n syscall" ::: "memory"); }
END
gcc -static -nostdlib -o zeros zeros.c
head -c 5000000 /dev/urandom >data.bin
cat >build.yml <<'END'
build:
  steps:
    plain: {whittle: {binary: app, pack: false, image: {output: plain.tar, add: ["data.bin:/d"]}}}
    zstd: {whittle: {binary: app, pack: false, image: {output: zstd.tar, compression: zstd}}}
    packed: {whittle: {binary: zeros, image: {output: packed.tar}}}
END
expect_exit 0 "$WHITTLE" build --format json
advice() {  # advice OUTPUT: the verdicts on the lightest pull
  jq -r "select(.output == \"$1\") | .verdicts[] | select(contains(\"lightest\"))" reports.json
}
jq '.. | objects | select(has("stages"))' "$out" >reports.json
plain=$(advice ./plain.tar)$(advice plain.tar)
[[ "$plain" == *"the same file in a zstd layer (\`compression: zstd\`): "* ]] || fail "plain: $plain"
[[ "$plain" != *"gzip layer"* ]] || fail "recommends what was made: $plain"
bytes=$(sed -n 's/.*: \([0-9,]*\) bytes.*/\1/p' <<<"$plain" | tr -d ,)
[[ "$bytes" -gt 5000000 ]] || fail "not the whole image: $plain"
sed -i 's/plain.tar, /plain.tar, compression: zstd, /' build.yml
expect_exit 0 "$WHITTLE" build --format json
jq '.. | objects | select(has("stages"))' "$out" >reports.json
[[ -z "$(advice ./plain.tar)$(advice plain.tar)" ]] || fail "recommends what was made: $(advice plain.tar)"
made=$(jq 'select(.output | endswith("plain.tar")) | .stages[] | select(.name == "layer") | .disk_bytes' reports.json)
[[ "$made" == "$bytes" ]] || fail "said that a zstd layer would have $bytes bytes, and it has $made"
[[ -z "$(advice ./zstd.tar)$(advice zstd.tar)" ]] || fail "recommends what was made"
packed=$(jq -r 'select(.output | endswith("packed.tar")) | .verdicts[]' reports.json)
for words in "heavier as zstd: for the network, ship it unpacked" \
  "The lightest gzip layer would be that of the stripped file: " \
  "The lightest pull would be the stripped file in a zstd layer (\`compression: zstd\`): "; do
  grep -qF "$words" <<<"$packed" || fail "does not say '$words': $packed"
done

expect_exit 0 "$WHITTLE" build --no-weigh
grep -q 'layers is not known (--no-weigh)' "$out" || fail "build does not say so: $(<"$out")"
