#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `go version -m` of a packed Go program prints what it prints of the original but for the path: main
# module, dependencies, replaced ones, build settings. So does `whittle inspect`.
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
need go jq readelf strip

# modules FILE: what go version says about it, without the path.
modules() { go version -m "$1" | sed '1s/^.*: //'; }
toolchain() { "$WHITTLE" inspect --format json "$1" | jq -S '.binary | {toolchain, go_build_id}'; }

expect_same_modules() {  # expect_same_modules ORIGINAL PACKED
  modules "$1" >original.txt
  modules "$2" >packed.txt
  [[ $(wc -l <original.txt) -ge 3 ]] || fail "go version -m says too little about $1"
  same original.txt packed.txt "go version -m differs: $(diff original.txt packed.txt || true)"
  toolchain "$1" >original.json
  toolchain "$2" >packed.json
  same original.json packed.json "whittle inspect differs: $(diff original.json packed.json || true)"
}

subject hello-http
expect_same_modules "$original" "$packed"

# A program with a dependency that is replaced by a folder, with its Go build id and its symbols.
mkdir -p program replaced
cat >replaced/go.mod <<'END'
module example.org/replaced
go 1.18
END
cat >replaced/replaced.go <<'END'
package replaced
func Answer() int { return 42 }
END
cat >program/go.mod <<'END'
module example.org/program
go 1.18
require example.org/replaced v1.2.3
replace example.org/replaced => ../replaced
END
cat >program/main.go <<'END'
package main
import ("fmt"; "example.org/replaced")
func main() { fmt.Println(replaced.Answer()) }
END
(cd program && CGO_ENABLED=0 GOFLAGS=-mod=mod GOPROXY=off GOSUMDB=off GOTOOLCHAIN=local \
  go build -buildvcs=false -o ../original .)
pack original -o packed
pack --strip original -o packed-stripped
"$WHITTLE" strip --quiet original -o stripped
pack stripped -o stripped-packed
grep -q $'^\tdep\texample.org/replaced\tv1.2.3' <(modules original) || fail "there is no dependency"
grep -q $'^\t=>\t../replaced' <(modules original) || fail "it is not replaced"
for form in packed packed-stripped stripped-packed; do
  expect_same_modules original $form
  [[ "$(go tool buildid $form)" == "$(go tool buildid original)" ]] || fail "$form: other build id"
  [[ "$(./$form)" == 42 ]] || fail "$form does not run"
  [[ -z "$(readelf -a -W $form 2>&1 >/dev/null)" ]] || fail "$form: readelf warns"
done

# Stripping afterwards makes a file that no longer verifies, and that still runs and says what is in it.
strip -o packed-then-stripped packed 2>"$err" || fail "strip: $(<"$err")"
[[ ! -s "$err" ]] || fail "strip warns: $(<"$err")"
[[ "$(./packed-then-stripped)" == 42 ]] || fail "it does not run when stripped after packing"
modules packed-then-stripped >packed.txt
modules original >original.txt
same original.txt packed.txt "stripping after packing hid the modules"
