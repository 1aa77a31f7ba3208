#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A service that does not run as root writes into its folders in Docker as well, with a read-only
# root only into volumes. A new volume takes over owner and mode of the image's folder; where the
# image has none, it belongs to root.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/image.inc"
source "$SOURCE/tests/e2e/dockerd.inc"
need gcc

start_dockerd
writer_image -o writer.tar
expect_exit 0 docker load --input writer.tar
run_writer() { expect_exit 0 docker run --rm --network none "$@"; }
run_writer writer:1 /data/a /tmp/b /var/state/c /var/state/queue/d /root-owned/e /f
expect_written "/data/a ok" "/tmp/b ok" "/var/state/c ok" "/var/state/queue/d ok" \
  "/root-owned/e Permission denied" "/f Permission denied"

run_writer --read-only -v data:/data -v other:/other writer:1 /data/a /tmp/b /other/c
expect_written "/data/a ok" "/tmp/b Read-only file system" "/other/c Permission denied"
