// SPDX-License-Identifier: MIT
//
// Finds a program's exception tables and takes them apart; stub/transforms/exception_tables.h
// explains the form.
#pragma once

#include <optional>
#include <vector>

#include "common/bytes.h"
#include "common/elf.h"
#include "packer/transforms/eh_frame.h"

namespace whittle::packer {

// From the first table that an unwind record points to, to the end of the last one's entries, if
// that lies in one segment's file bytes and has 256 bytes or more.
std::optional<AddressRange> find_exception_tables(const elf::File& file);

// The bytes of that range as streams for stub::join_exception_tables, in its order. Any bytes can
// be taken apart so; what is no table is kept as it is.
std::vector<Bytes> split_exception_tables(ByteView range);

}  // namespace whittle::packer
