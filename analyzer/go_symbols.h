// SPDX-License-Identifier: MIT
//
// Which package a symbol of a Go program belongs to, and which symbols are of C code that is linked
// into one.
//
// A symbol is the package's path, a dot and a name: "net/http.(*Client).do". In the last element of
// a path dots, blanks and other odd characters are written as "%2e". Other forms:
//
//   text/template.(*Template).text/template/parse.f   a method whose name is of another package
//   slices.Sort[go.shape.[]example.com/x.T]           of one set of type arguments
//   type:.eq.struct { net/http.a int; B int }         made by the compiler for a type; so are
//                                                     methods of a type without a name
//   go:itab.*os.File,io.Reader                        a table of the first type's methods
//   go:string.*, go:buildid, $f64.3ff0000000000000    of no package: put together by the linker
//
// Before Go 1.20 there was a dot for the colon, as in "go.itab.", where a path such as
// "go.uber.org/zap" begins alike.
//
// Source: Go's cmd/internal/objabi and cmd/link/internal/ld (symtab.go).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyzer/symbols.h"

namespace whittle::analyzer {

// "net/http" of "net/http.(*Client).do"; "[Go types]" of types without a name, "[Go linker]" of
// what the linker made, "[Go assembly]" of names without a package.
std::string go_package_of(std::string_view symbol);

// True of names that C and its compilers write ("read", "seen.0", "f.cold", "_ZN1aE") and Go does
// not, but for assembly.
bool is_c_name(std::string_view symbol);

// For each symbol whether it is Go's, in a program whose linker was Go's or was given Go's code.
// Without C code all of them are; the C library's side of cgo shows that there is some. An outer
// linker lists local symbols by the source file that they are from, which is "go.go" for all of
// Go's. Where Go's own linker took the C code in, names have to tell.
//
// `has_table`: the program has a table of Go functions. Without one, and without a file "go.go",
// nothing is Go's.
std::vector<bool> find_go_symbols(const std::vector<Symbol>& symbols, bool has_table);

}  // namespace whittle::analyzer
