// SPDX-License-Identifier: MIT
//
// Finds a program's unwind tables and takes them apart; stub/transforms/eh_frame.h explains the
// form.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/bytes.h"
#include "common/elf.h"
#include "packer/ranges.h"
#include "packer/transforms/parts.h"

namespace whittle::packer {

// Where .eh_frame is, with the .eh_frame_hdr directly before it, where there is one: by
// PT_GNU_EH_FRAME or, in a program without it, by the records themselves. Section headers are not
// needed. Nothing where there are fewer than 16 records.
std::optional<AddressRange> find_eh_frame(const elf::File& file);

// Where the exception tables (LSDA) are that its records point to, in the records' order.
std::vector<std::uint64_t> exception_table_addresses(const elf::File& file);

// The bytes of that range as streams for stub::join_eh_frame, in its order. `address` is that of
// range[0]. Nothing where the join would not give the same bytes.
Split split_eh_frame(ByteView range, std::uint64_t address);

}  // namespace whittle::packer
