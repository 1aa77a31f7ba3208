#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An output that cannot be written: missing folder, no permission, full disk, the input itself. One
# line, the documented status, nothing half-written, and what was there before is still there.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
subject hello-http
install -m 755 "$original" input
install -m 755 "$packed" packed
sum=$(sha256sum input packed)
untouched() {
  [[ "$(sha256sum input packed)" == "$sum" ]] || fail "an input was changed by: $*"
  local left
  left=$(find . -newer packed -type f ! -name '.std*' ! -path './full/old' -printf '%p ')
  [[ -z "$left" ]] || fail "left behind by $*: $left"
}
sleep 0.02  # so that anything made from here on is newer

each_command() {  # each_command CODE OUTPUT [PREFIX...]: of every command that writes a file
  local code="$1" output="$2"
  shift 2
  expect_error "$code" "$@" "$WHITTLE" pack input -o "$output"
  untouched pack
  expect_error "$code" "$@" "$WHITTLE" strip input -o "$output"
  untouched strip
  expect_error "$code" "$@" "$WHITTLE" unpack packed -o "$output"
  untouched unpack
  expect_error "$code" "$@" "$WHITTLE" image --quiet input -o "$output"
  untouched image
}
each_command 5 missing/folder/output
each_command 5 input/below
expect_error "2|3" "$WHITTLE" pack input -o input
expect_error "2|3" "$WHITTLE" unpack packed -o packed
expect_error "2|3" "$WHITTLE" image --quiet input -o input
ln input hardlink && ln -s input symlink
expect_error "2|3" "$WHITTLE" pack input -o hardlink
expect_error "2|3" "$WHITTLE" pack input -o symlink
rm hardlink symlink
untouched "an output that is the input"
each_command 5 /dev/full

# A disk that is full: 64 kB of it, with an older output in place.
need_namespaces
mkdir full
cat >on_full_disk <<'END'
#!/usr/bin/env bash
mount -t tmpfs -o size=64k tmpfs full || exit 99
echo old >full/old
"$@"
status=$?
[[ "$(cat full/*)" == old && "$(ls -A full)" == old ]] || { echo "left: $(ls -lA full)"; exit 98; }
exit $status
END
chmod +x on_full_disk && touch -r packed on_full_disk
for command in "pack input" "strip input" "unpack packed" "image --quiet input"; do
  # shellcheck disable=SC2086
  expect_error 5 in_namespaces ./on_full_disk "$WHITTLE" $command -o full/old
  untouched "$command"
done
