#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A service that does not run as root writes where the image has a folder for it, and nowhere else.
# Folders have the modes and owners asked for, as umoci unpacks them and as tar lists them.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/image.inc"
need gcc

writer_image --layout layout -o writer.tar
expect_exit 0 run_in_runc layout:1 /data/a /tmp/b /var/state/c /var/state/queue/d /root-owned/e /f
expect_written "/data/a ok" "/tmp/b ok" "/var/state/c ok" "/var/state/queue/d ok" \
  "/root-owned/e Permission denied" "/f Permission denied"

layer=$(tar -xOf writer.tar manifest.json | jq -r '.[0].Layers[0]')
listing=$(tar -xOf writer.tar "$layer" | tar -tvz --numeric-owner | awk '{ print $1, $2, $6, $7, $8 }')
[[ "$listing" == "\
drwxr-x--- 65532/65532 data/  
drwxr-xr-x 0/0 root-owned/  
drwxrwxrwt 0/0 tmp/  
drwxr-xr-x 0/0 var/  
drwxr-xr-x 65532/65532 var/state/  
lrwxrwxrwx 65532/65532 var/state/queue -> spool
drwx------ 65532/65532 var/state/spool/  
-rwxr-xr-x 0/0 writer  " ]] || fail "the layer has: $listing"
