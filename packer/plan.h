// SPDX-License-Identifier: MIT
//
// Which parts of an executable become what in its packed form: decided once, from the headers
// alone, and read by the writer. Whatever cannot be proven safe is a refusal with its reason.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/elf.h"
#include "packer/container/reader.h"
#include "packer/container/stubs.h"
#include "packer/format.h"
#include "packer/packer.h"
#include "packer/ranges.h"

namespace whittle::packer {

struct PackPlan {
  const Machine* machine = nullptr;
  std::vector<PackSegment> segments;              // every PT_LOAD
  std::vector<AddressRange> code;                 // candidates for the machine-code transform
  std::vector<FileRange> rest;                    // file bytes that no PT_LOAD maps, ascending
  std::uint64_t image_vaddr = 0, image_size = 0;  // whole pages around all segments
  std::uint64_t image_align = 0;                  // the largest p_align
  std::uint64_t page_size = 0;  // the largest on which the original can run, and so can the packed
  std::uint64_t phdr_vaddr = 0;
  std::uint64_t escape_vaddr = 0;            // 0: no room
  std::optional<std::uint32_t> stack_flags;  // PT_GNU_STACK's, where there is one
  std::uint64_t symbol_bytes = 0;            // of symbol tables and debug information in `rest`
  std::vector<std::string> warnings;
};

// A parsed file is either planned or refused. Throws Error{malformed} where its dynamic section is
// damaged.
std::variant<PackPlan, Refusal> plan(const elf::File& file);

}  // namespace whittle::packer
