#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# In a control group, as containers are, a packed program runs with the memory of its original's size
# and a quarter more (at level small with its decoders' memory beside, packer/FORMAT.md), and where no
# second process or thread is allowed.
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need jq
subject_name="$1"
subject "$subject_name"

# The folder in which groups with this controller are made: version 1, else version 2.
groups_of() {  # groups_of CONTROLLER
  local folder
  folder=$(awk -v name="$1" '$3 == "cgroup" && $4 ~ "(^|,)" name "(,|$)" { print $2; exit }' /proc/mounts)
  if [[ -z "$folder" ]]; then
    folder=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    grep -qw "$1" "$folder/cgroup.subtree_control" 2>/dev/null || return 0
  fi
  [[ ! -w "$folder/cgroup.procs" ]] || echo "$folder"
}

# A new group for every run: in an old one, pages that were read before cost nothing.
in_group() {  # in_group CONTROLLER SETTING[|SETTING] VALUE COMMAND...
  local group="$groups/whittle-e2e-$$" settings setting status=0
  mkdir "$group"
  IFS='|' read -r -a settings <<<"$2"
  for setting in "${settings[@]}"; do
    [[ ! -e "$group/$setting" ]] || echo "$3" >"$group/$setting"
  done
  (echo "$BASHPID" >"$group/cgroup.procs" && "${@:4}") || status=$?
  for _ in {1..20}; do  # the last process may take a moment to be gone
    rmdir "$group" 2>/dev/null && break
    sleep 0.05
  done
  [[ ! -d "$group" ]] || fail "the group $group cannot be removed"
  return "$status"
}
program() { exec -a "$subject_name" "$file" "$@"; }  # the group's one process becomes the program
start() { probe "$subject_name" x; }

# The kernel's part of a process (page tables, stacks) is counted with it: no group has less than
# 256 KiB here, which the smallest of the originals needs.
groups=$(groups_of memory)
[[ -n "$groups" ]] || skip "no control group with a limit of memory can be made here"
limit=$(($(stat -c %s "$original") * 5 / 4))
[[ $limit -ge $((256 * 1024)) ]] || limit=$((256 * 1024))
if [[ $LEVEL == small ]]; then limit=$((limit + 1536 * 1024)); fi
expect_same_behaviour "with $limit bytes of memory" \
  in_group memory 'memory.limit_in_bytes|memory.max' "$limit" start
[[ $(<"$scratch/.original.seen/status") -eq 0 ]] || fail "the original does not run with $limit bytes"

# What `inspect` says that a start takes is enough, with 2 MiB for the program's own use, and half of it
# is too little.
expect_exit 0 "$WHITTLE" inspect --format json "$packed"
start_memory=$(jq .packed.start_memory_bytes "$out")
run in_group memory 'memory.limit_in_bytes|memory.max' $((start_memory + 2048 * 1024)) start
[[ $status -eq 0 ]] || fail "status $status with 2 MiB more than the $start_memory bytes that inspect names"
if [[ $start_memory -gt $((4096 * 1024)) ]]; then
  run in_group memory 'memory.limit_in_bytes|memory.max' $((start_memory / 2)) start
  [[ $status -eq 137 ]] || fail "status $status with half of the $start_memory bytes that inspect names"
fi

groups=$(groups_of pids)
[[ -n "$groups" ]] || skip "no control group with a limit of processes can be made here"
alone() { first_line_of in_group pids pids.max 1 start; }
expect_same_behaviour "as the only process" alone
