// SPDX-License-Identifier: MIT
//
// What the kernel and the dynamic loader read of an ELF file before they run or load it. This is
// kept for programs of an image, whose bytes are dropped once they are read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/elf.h"

namespace whittle {

struct LinkedObject {
  std::uint16_t type = 0;  // elf::kTypeExec, elf::kTypeDyn, …
  std::uint16_t machine = 0;
  bool is_64bit = true;
  ByteOrder order = ByteOrder::little;
  std::string interpreter;  // PT_INTERP; empty if missing
  std::string soname;
  std::vector<std::string> needed, rpath, runpath;

  bool is_for_machine_of(const LinkedObject& other) const {
    return machine == other.machine && is_64bit == other.is_64bit && order == other.order;
  }
};

// Throws Error{malformed} for a damaged dynamic section or interpreter.
LinkedObject describe_object(const elf::File& file);

}  // namespace whittle
