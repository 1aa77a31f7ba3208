#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Under a limit of address space (RLIMIT_AS) or of data (RLIMIT_DATA) a packed program runs like its
# original once the limit leaves it room to unpack, and whatever the limit it never crashes: the
# kernel refuses to start it, or it ends with status 122 and one line, or it is the original that
# finds too little.
#
# The room: while it unpacks, a packed program has the original's image, all of it writable (data), its
# own file, its scratch memory (which `inspect` tells), a stack of 132 KiB, and room for its decoder, page
# rounding and the kernel's own pages. (Its threads want more and do without.) The file counts as data, too, where it is position-independent: the kernel maps all of the range like its
# first segment before it maps the others. What the original takes under way is often more than that.
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need prlimit strace readelf jq
subject_name="$1"
subject "$subject_name"
case "$subject_name" in
  hello-http) arguments=(--greet) ;;
  hello-*) arguments=(one) ;;
  busybox) arguments=(echo one) ;;
  bash) arguments=(-c 'echo one') ;;
  *) arguments=(--version) ;;
esac

page=4096
scratch_size=$("$WHITTLE" inspect --format json "$packed" | jq .packed.scratch_bytes)
declare -A decoder_room=([fast]=256 [small]=1024)  # KiB
tables=$((scratch_size + decoder_room[$LEVEL] * 1024))
image_size=$(readelf -lW "$original" | awk '$1 == "LOAD" { print $3, $6 }' |
  while read -r address size; do echo $((address)) $((address + size)); done |
  awk 'NR == 1 { begin = $1 } { end = $2 } END { printf "%d", end - begin }')
packed_size=$(stat -c %s "$packed")
packed_mapped_as_data=0
if readelf -hW "$packed" | grep -q 'Type: *DYN'; then packed_mapped_as_data=$packed_size; fi

# One name, of one length, for both.
mkdir as_original as_packed
cp "$original" "as_original/$subject_name"
cp "$packed" "as_packed/$subject_name"

limited() {  # limited FORM RESOURCE BYTES: sets $status, $out, $err
  (cd "as_$1" && exec prlimit "--$2=$3" -- "./$subject_name" "${arguments[@]}") \
    </dev/null >"$out" 2>"$err" && status=0 || status=$?
} 2>/dev/null

as_without_limit() {
  [[ $status -eq 0 ]] && cmp -s "$out" expected.stdout && cmp -s "$err" expected.stderr
}

smallest() {  # smallest FORM RESOURCE: sets $limit to the least bytes under which it runs
  local low=0 high=$((1 << 20)) middle  # in pages
  while ((high - low > 1)); do
    middle=$(((low + high) / 2))
    limited "$1" "$2" $((middle * page))
    if as_without_limit; then high=$middle; else low=$middle; fi
  done
  limit=$((high * page))
}

# Whether the kernel killed it inside of execve: what strace sees last of that call is no success.
refused_by_kernel() {  # refused_by_kernel RESOURCE BYTES
  (cd as_packed && run strace -qq -e trace=execve -e signal=none -o ../calls \
    prlimit "--$1=$2" -- "./$subject_name" "${arguments[@]}") 2>/dev/null
  [[ $(grep -c '^execve' calls) -eq 2 ]] && ! tail -n 1 calls | grep -q '= 0$'
}

# Coarse steps up to the room that it needs, fine ones where it begins to have enough.
limits_around() {  # limits_around ROOM
  local step
  for ((step = 0; step < 6; step++)); do echo $(($1 * step / 6 / page * page)); done
  for ((step = -10; step <= 1; step++)); do
    if (($1 + step * 10 * page > 0)); then echo $(($1 + step * 10 * page)); fi
  done
}

limited original as unlimited
[[ $status -eq 0 ]] || fail "the original does not run: $(<"$err")"
cp "$out" expected.stdout
cp "$err" expected.stderr

for resource in as data; do
  smallest original "$resource"
  need_of_original=$limit
  case "$resource" in
    as) room=$((image_size + packed_size + 132 * 1024 + tables)) ;;
    data) room=$((image_size + packed_mapped_as_data + tables)) ;;
  esac
  room=$((room / page * page))
  # Threads come at their own times: the original's need is not quite the same each time, and it was
  # found by the luckiest of several runs.
  allowed=$((need_of_original * 21 / 20 > room ? need_of_original * 21 / 20 : room))
  for _ in {1..5}; do
    limited packed "$resource" "$allowed"
    ! as_without_limit || break
  done
  as_without_limit || fail "status $status under $resource=$allowed: $(<"$err")"
  echo "RLIMIT_${resource^^}: the original runs with $((need_of_original / 1024)) KiB," \
    "the packed program unpacks within $((room / 1024)) KiB"

  kernel=0 own=0 ran=0 original_failed=0
  for bytes in $(limits_around "$room"); do
    limited packed "$resource" "$bytes"
    if as_without_limit; then
      ran=$((ran + 1))
    elif [[ $status -eq 122 ]]; then
      [[ ! -s "$out" && $(wc -l <"$err") -eq 1 &&
        $(<"$err") == "whittle: ./$subject_name: no memory "* ]] ||
        fail "$resource=$bytes: status 122, prints $(cat "$out" "$err")"
      own=$((own + 1))
    elif [[ $status -gt 128 ]]; then
      refused_by_kernel "$resource" "$bytes" || fail "$resource=$bytes: dies of signal $((status - 128))"
      kernel=$((kernel + 1))
    else
      packed_status=$status
      packed_line=$(head -n 1 "$err" | sed -E 's/0x[0-9a-f]+/ADDRESS/g')
      limited original "$resource" "$bytes"
      [[ $status -eq $packed_status &&
        "$packed_line" == "$(head -n 1 "$err" | sed -E 's/0x[0-9a-f]+/ADDRESS/g')" ]] ||
        fail "$resource=$bytes: status $packed_status: $packed_line; the original: $status: $(<"$err")"
      original_failed=$((original_failed + 1))
    fi
  done
  echo "  refused by the kernel $kernel, by itself $own, the original fails $original_failed, ran $ran"
  [[ $kernel -gt 0 && $((ran + original_failed)) -gt 0 ]] || fail "the limits were not in effect"
done
