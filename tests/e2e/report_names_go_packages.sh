#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `whittle report` gives code and data of a Go program with symbols to packages that the program is made
# of, as `go list` names them, and C code and data to C: in programs of Go alone, and with C linked by Go's
# linker and by gcc's.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need go gcc jq

mkdir -p tab dotted.v3 render both owncgo
cat >go.mod <<'END'
module example.com/gt

go 1.19
END
awk 'BEGIN { printf "package tab\n\nvar Table = [50000]uint32{1"; for (i = 2; i <= 50000; i++) printf ", %d", i; print "}" }' >tab/tab.go
cat >dotted.v3/dotted.go <<'END'
package dotted

var Numbers = [3000]int64{1, 2, 3}

type Shape interface{ hidden() int64 }
type Square struct{ Side int }

func (s Square) hidden() int64 { return Numbers[s.Side] }
func Of(s Shape) int64         { return s.hidden() }
END
cat >render/render.go <<'END'
package render

import (
	"fmt"
	"sync"

	"example.com/gt/dotted.v3"
)

type Pair[T any] struct{ a, b T }

func (p Pair[T]) String() string { return fmt.Sprint(p.a, p.b) }

type Wrapped struct{ dotted.Square }

func Use(n int) {
	fmt.Println(Pair[int]{n, 2}, Pair[string]{"a", "b"}, dotted.Of(Wrapped{}), dotted.Of(&Wrapped{}))
	var locked struct {
		sync.Mutex
		n int
	}
	var locker sync.Locker = &locked
	locker.Lock()
	fmt.Println(locked.n, struct{ a, b any }{n, n} == struct{ a, b any }{1, 2})
}
END
cat >main.go <<'END'
package main

import (
	"example.com/gt/render"
	"example.com/gt/tab"
)

func main() {
	render.Use(len(tab.Table))
	println(tab.Table[len(tab.Table)-1])
}
END
cat >both/main.go <<'END'
package main

/*
static const int counters[30000] = {1, 2, 3};
int numbers[20000] = {4, 5, 6};
static int next(int x) { static int seen[1000] = {7}; return counters[x] + numbers[x] + seen[x % 1000]++; }
*/
import "C"
import "example.com/gt/tab"

var own = [40000]int32{9, 8}

func main() { println(C.next(C.int(len(own)%1000)), own[tab.Table[own[0]]]) }
END
cat >owncgo/main.go <<'END'
package main

import (
	"net"
	"os/user"
)

var own = [40000]int32{9, 8}

func main() {
	names, _ := net.LookupHost("localhost")
	who, _ := user.Current()
	println(len(names), who.Uid, own[len(names)])
}
END

# report PROGRAM FOLDER: $out is the report; every owner is known, and all bytes have one
report() {
  expect_exit 0 "$WHITTLE" report --format json "$1"
  jq -e '(.owners | map(.bytes) | add) == .size_bytes' "$out" >/dev/null || fail "$1: owners do not add up"
  # Of the standard library any: a package may define what it names as another's (go:linkname).
  { go list -deps "./$2"; go list std; echo main; } | sort -u >known
  jq -r '.owners[].name | select(startswith("[") or . == "C" | not)' "$out" | sort >named
  comm -23 named known >unknown
  [[ ! -s unknown ]] || fail "$1: no packages of the program: $(<unknown)"
}
bytes() { jq "[.owners[] | select(.name == \"$1\") | .bytes] | add // 0" "$out"; }
expect_bytes() {  # expect_bytes PROGRAM OWNER LEAST MOST
  local found
  found=$(bytes "$2")
  [[ $found -ge $3 && $found -le $4 ]] || fail "$1: $2 owns $found bytes, not $3 to $4"
}

for machine in amd64 arm64; do
  CGO_ENABLED=0 GOARCH=$machine go build -buildvcs=false -o "plain-$machine" .
  report "plain-$machine" .
  expect_bytes "plain-$machine" example.com/gt/tab 200000 200100
  expect_bytes "plain-$machine" example.com/gt/dotted.v3 24000 30000
  expect_bytes "plain-$machine" C 0 0
done

CGO_ENABLED=1 go build -buildvcs=false -o both-linked-by-gcc ./both
report both-linked-by-gcc both
expect_bytes both-linked-by-gcc C 204000 230000
expect_bytes both-linked-by-gcc main 160000 170000
expect_bytes both-linked-by-gcc example.com/gt/tab 200000 200100

CGO_ENABLED=1 go build -buildvcs=false -o own-linked-by-go ./owncgo
[[ $(readelf -sW own-linked-by-go | grep -c ' FILE ') -eq 1 ]] || fail "gcc has linked it"
report own-linked-by-go owncgo
expect_bytes own-linked-by-go C 1000 20000
expect_bytes own-linked-by-go main 160000 170000
