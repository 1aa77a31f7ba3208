#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `whittle audit` lists a Rust program's crates by the list that cargo-auditable puts into it, and
# those that only paths of sources name as less certain: as text, JSON, CycloneDX and SPDX.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need gcc objcopy python3 jq

cat >list.json <<'END'
{"packages":[{"name":"adler","version":"1.0.2","source":"crates.io"},
{"name":"shipped","version":"0.3.1","source":"local","dependencies":[0,2],"root":true},
{"name":"cc","version":"1.0.99","source":"crates.io","kind":"build"}]}
END
python3 -c 'import sys, zlib; sys.stdout.buffer.write(zlib.compress(open("list.json", "rb").read()))' >list
cat >program.c <<'END'
#include <stdio.h>
__attribute__((used)) static const char *const paths[] = {
  "/root/.cargo/registry/src/index.crates.io-6f17d22bba15001f/adler-1.0.2/src/lib.rs",
  "/rust/deps/hashbrown-0.15.2/src/raw/mod.rs"};
int main(void) { puts("runs"); return 0; }
END
gcc -O1 -static -o without program.c
objcopy --add-section .dep-v0=list without program
head -c 20 list >beginning
objcopy --add-section .dep-v0=beginning without damaged

expect_exit 0 "$WHITTLE" audit program
unwrapped "$out" >text
grep -q '3 crates (.dep-v0): shipped 0.3.1, adler 1.0.2, cc 1.0.99 (only for the build)$' text ||
  fail "the list is missing: $(<"$out")"
grep -q '1 crate (path of a source file, medium): hashbrown 0.15.2$' text ||
  fail "the crate that only a path names is missing: $(<"$out")"

"$WHITTLE" audit --format json program | jq -c '.files[0].toolchain | [.language,
  (.modules[] | [.path, .version, .source, .found_in, .confidence, .only_for_build])]' >found
cat >expected <<'END'
["Rust",["shipped","0.3.1","local",".dep-v0","high",null],["adler","1.0.2","crates.io",".dep-v0","high",null],["cc","1.0.99","crates.io",".dep-v0","high",true],["hashbrown","0.15.2",null,"path of a source file","medium",null]]
END
same expected found "the JSON says otherwise: $(<found)"
"$WHITTLE" audit --format json program | jq -e '.files[0].toolchain.notes | any(startswith("GCC"))' \
  >/dev/null || fail "the C compiler's note is missing"

printf 'pkg:cargo/%s\n' adler@1.0.2 cc@1.0.99 hashbrown@0.15.2 shipped@0.3.1 >expected
"$WHITTLE" audit --format cyclonedx program | jq -r '.components[].purl // empty' | sort >found
same expected found "CycloneDX lists others: $(<found)"
"$WHITTLE" audit --format spdx program |
  jq -r '.packages[].externalRefs[]?.referenceLocator' | sort >found
same expected found "SPDX lists others: $(<found)"

# A damaged list costs a warning, and what paths name is still there.
expect_exit 0 "$WHITTLE" audit damaged
unwrapped "$out" >text
grep -q 'warning: the list of crates in .dep-v0 cannot be unpacked' text ||
  fail "no warning of a damaged list: $(<"$out")"
grep -q '2 crates (path of a source file, medium): adler 1.0.2, hashbrown 0.15.2$' text ||
  fail "the paths say nothing of the damaged program: $(<"$out")"
