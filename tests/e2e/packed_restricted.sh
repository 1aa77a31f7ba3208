#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A packed program needs nothing but its own mapping: it starts without privileges, from a read-only
# root that has neither /proc nor any other file, and without standard streams.
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
subject_name="$1"
subject "$subject_name"

probe_in_place() { probe "$subject_name" x; }

# With the privileges of nobody; the file can be executed but not read.
as_nobody_unreadable() {
  chmod 711 "$file"
  as_nobody "$BASH" -c "$(declare -f program probe); subject_name=$subject_name file=$file
    probe $subject_name x"
}
expect_same_behaviour "as nobody" as_nobody_unreadable

# Alone in a read-only file system.
need_namespaces
mkdir root
in_read_only_root() {
  install -m 755 "$file" root/program
  in_namespaces "$BASH" -c '
    mount --bind root root && mount -o remount,bind,ro root || exit 99
    if touch root/x 2>/dev/null; then exit 98; fi
    exec chroot root /program "$@"' -- "$@"
}
case "$subject_name" in
  hello-http) set -- --greet ;;
  hello-*) set -- --env one two ;;
  busybox) set -- sh -c 'export -p; cd /proc || exit 5' ;;
  bash) set -- -c 'echo $((6 * 7)); exit 5' ;;
  *) set -- --version ;;
esac
expect_same_behaviour "in a read-only root without /proc" in_read_only_root "$@"
[[ "$(<"$scratch/.original.seen/status")" != 9? ]] || fail "the read-only root could not be made"

without_streams() { probe "$subject_name" x <&- >&- 2>&-; }
expect_same_behaviour "without standard streams" without_streams
