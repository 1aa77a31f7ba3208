// SPDX-License-Identifier: MIT
//
// Go's function tables (pclntab), found in a program and split into streams that compress well.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/bytes.h"

namespace whittle::packer {

struct GoTable {
  std::uint64_t offset = 0, size = 0;  // in the given bytes
};

// The tables in the file bytes of one segment.
std::vector<GoTable> find_go_tables(ByteView segment);

// The streams of a table (stub/go_tables.h), or nothing where it is not built as Go's linker builds
// it. Joined they make `table` again: it has been tried. `starts` are the instructions' (see
// stub::InstructionStarts) of the program's x86-64 code, from at most 16 KiB before its first
// function on; where they are given, and are of use, lengths are counted in instructions, and
// joining needs them too.
std::optional<std::vector<Bytes>> split_go_table(ByteView table, ByteView starts = {});

}  // namespace whittle::packer
