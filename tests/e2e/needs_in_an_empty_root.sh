#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `whittle audit` says a static program needs is what it fails for in an empty root filesystem: it
# runs here, fails there, and audit names the need. One that needs nothing runs in both, unnamed.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need jq gcc go chroot
[[ $EUID -eq 0 ]] || skip "chroot needs root"
samples="$SOURCE/tests/unit/analyzer/fixtures/needs"

needs_of() { "$WHITTLE" audit --format json "$1" | jq -r '[.files[0].needs[].id] | join(" ")'; }

# try PROGRAM NEED: NEED is empty for a program that needs nothing.
try() {
  local root
  root=$(mktemp -d "$scratch/root.XXXXXX")
  cp "$1" "$root/program"
  expect_exit 0 "$1"
  if [[ -z "$2" ]]; then
    expect_exit 0 chroot "$root" /program
    [[ -z $(needs_of "$1") ]] || fail "$1 needs nothing, but audit names $(needs_of "$1")"
  else
    expect_exit 1 chroot "$root" /program
    [[ " $(needs_of "$1") " == *" $2 "* ]] || fail "$1 fails for want of $2, but audit names '$(needs_of "$1")'"
  fi
}

for pair in nothing: execv:needs/processes gconv:needs/gconv nss:needs/nss passwd:needs/passwd proc:needs/proc \
  processes:needs/processes resolver:needs/resolver shell:needs/shell temporary:needs/tmp zoneinfo:needs/zoneinfo; do
  sample=${pair%%:*}
  gcc -O1 -static -w -Wl,--no-warnings -o "$sample" "$samples/$sample.c"
  try "./$sample" "${pair#*:}"
done

mkdir go
(cd "$samples/go" && CGO_ENABLED=0 GOPROXY=off go build -buildvcs=false -o "$scratch/go/" ./...)
for pair in nothing: zone-embedded: certificates:needs/ca-certificates user:needs/passwd \
  zone:needs/zoneinfo temporary:needs/tmp shell:needs/shell processes:needs/processes \
  resolver:needs/resolver proc:needs/proc; do
  sample=${pair%%:*}
  [[ $sample != certificates || -s /etc/ssl/certs/ca-certificates.crt ]] ||
    { echo "SKIP: certificates: this system has none"; continue; }
  try "./go/$sample" "${pair#*:}"
done

# And with what the findings say an image can be given, they run.
root=$(mktemp -d "$scratch/root.XXXXXX")
mkdir -p "$root/bin" "$root/etc" "$root/tmp" "$root/usr/share/zoneinfo/Europe"
cp nss shell passwd temporary zoneinfo "$root/"
cp go/user "$root/go-user"
cp "$(readlink -f "$(command -v busybox)")" "$root/bin/sh"
echo "root:x:0:0::/:/bin/sh" >"$root/etc/passwd"
cp -L /usr/share/zoneinfo/Europe/Berlin "$root/usr/share/zoneinfo/Europe/Berlin"
for program in shell passwd temporary zoneinfo go-user; do expect_exit 0 chroot "$root" "/$program"; done

# A module of the name service switch is missed where the user database is there, too.
expect_exit 1 chroot "$root" /nss
for library in libnss_compat.so.2 libc.so.6 ld-linux-x86-64.so.2; do
  path="/lib/$(gcc -print-multiarch)/$library"
  install -D "$path" "$root$path"
done
expect_exit 0 chroot "$root" /nss
