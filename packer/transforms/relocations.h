// SPDX-License-Identifier: MIT
//
// Finds a program's relocations and takes them apart; stub/transforms/relocations.h explains the
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

// The table that DT_RELA and DT_RELASZ name, where it has 64 entries or more.
std::optional<AddressRange> find_relocations(const elf::File& file);

// The bytes of that range as streams for stub::join_relocations, in its order. Nothing where the
// join would not give the same bytes.
Split split_relocations(ByteView range);

}  // namespace whittle::packer
