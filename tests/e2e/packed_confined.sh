#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A packed program starts where processes are confined: no further process or thread, one processor,
# no new privileges, a user namespace, no folder for temporary files from which anything may be run.
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need prlimit setpriv taskset unshare
subject_name="$1"
subject "$subject_name"
start() { probe "$subject_name" x; }
start_as_only_process() { first_line_of start; }

# A limit of processes does not bind root.
# shellcheck disable=SC2317  # called by probe
program() { (exec -a "$subject_name" "${confine[@]}" "$file" "$@"); }
if [[ $EUID -eq 0 ]]; then confine=(setpriv --reuid=65534 --regid=65534 --clear-groups --); else confine=(); fi
confine+=(prlimit --nproc=1 --)
expect_same_behaviour "where it can have no thread" start_as_only_process

processor=$(awk '$1 == "Cpus_allowed_list:" { split($2, first, /[-,]/); print first[1] }' /proc/self/status)
for confinement in "taskset -c $processor" "setpriv --no-new-privs --" "unshare --user --map-root-user --" \
  "unshare --user --"; do
  read -r -a confine <<<"$confinement"
  if [[ ${confine[0]} == unshare ]] && ! "${confine[@]}" true 2>/dev/null; then
    skip "user namespaces are not permitted here"
  fi
  expect_same_behaviour "under $confinement" start
  [[ $(<"$scratch/.original.seen/status") -eq 0 ]] || fail "the original does not start under $confinement"
done

# Nothing that can be written to can be executed from, and memfd is the way that is left.
need_namespaces
need gcc
gcc -O1 -static -o restrict "$SOURCE/tests/e2e/restrict.c"
program() {
  in_namespaces "$BASH" -c '
    set -e
    mount --bind "$1" /mnt
    for folder in /tmp /var/tmp /dev/shm; do
      [[ ! -d $folder ]] || mount -t tmpfs -o noexec,nosuid,nodev none "$folder"
    done
    cd /
    shift
    exec "$@"' -- "$scratch" "${confine[@]}" "/mnt/${file##*/}" "${argv0[@]}" "$@"
}
confine=() argv0=()
expect_same_behaviour "where no temporary folder can be executed from" start
[[ $(<"$scratch/.original.seen/status") -eq 0 ]] || fail "the original does not start: $(<"$scratch/.original.seen/stderr")"
if ./restrict -m /bin/true true 2>/dev/null; then  # Linux 6.3
  confine=(/mnt/restrict -m) argv0=("$subject_name")
  expect_same_behaviour "where memory cannot be made executable, either" start
  [[ $(<"$scratch/.original.seen/status") -eq 0 ]] || fail "the original does not start"
else
  echo "left out: both at once, which needs Linux 6.3 (PR_SET_MDWE)"
fi
