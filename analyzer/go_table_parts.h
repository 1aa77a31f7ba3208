// SPDX-License-Identifier: MIT
//
// Whose the bytes of Go's function table are. The table takes up a quarter to a third of a Go
// program, nearly all of it on behalf of one function or another, so a package costs about half as
// much again as its code.
//
// The rule: an entry of the list and the record that it leads to belong to their function; a name
// to the function of that name, inlined ones having nothing else; and what functions may share (a
// table of values by program counter, a compilation unit's list of files, the name of a file) to
// the one with the lowest address. Go lays code out in the order of dependencies, so that is a
// function of the package that brought it, as a rule. The header, and what no function leads to, is
// nobody's.
//
// Sources: Go's runtime.pcHeader and runtime._func (runtime/symtab.go and runtime2.go of Go 1.16 to
// 1.26), the linker's pclntab.go.
#pragma once

#include <functional>
#include <string_view>

#include "analyzer/go_functions.h"

namespace whittle::analyzer {

// Takes a range of the file and the name of the function whose it is.
using TakeGoTablePart =
    std::function<void(std::uint64_t offset, std::uint64_t size, std::string_view function)>;

// Hands out the parts of a table, and returns the offset in the file after the last record. Ranges
// may overlap in a damaged table; all of them lie in it. Never throws on any content, and takes
// time and memory in proportion to the table's size. Tables from before Go 1.16 have their records
// entwined with everything else: none of their parts are handed out.
std::uint64_t for_each_go_table_part(const elf::File& file, const GoFunctionTable& table,
                                     const TakeGoTablePart& take);

}  // namespace whittle::analyzer
