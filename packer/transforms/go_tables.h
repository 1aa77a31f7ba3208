// SPDX-License-Identifier: MIT
//
// Go's function tables (pclntab), found in a program and split into streams that compress well.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "packer/transforms/parts.h"

namespace whittle::packer {

// A table with the inlining trees and the findfunctab that belong to it, and all between them.
struct GoTable {
  std::uint64_t offset = 0, size = 0;  // in the given bytes; the offset is a multiple of 4
};

// Called with the offset of a table that cannot be split, and why: "function 7 (main.main) has …".
using GoTableFailure = std::function<void(std::uint64_t offset, std::string why)>;

// The tables in the file bytes of one segment, ascending; they do not overlap.
std::vector<GoTable> find_go_tables(ByteView segment, const GoTableFailure& on_failure = {});

// The streams of such a region (stub/transforms/go_tables.h), or nothing where the table is not
// built as Go's linker builds it. Joined they make `region` again: it has been tried.
Split split_go_table(ByteView region);

}  // namespace whittle::packer
