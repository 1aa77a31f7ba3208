// SPDX-License-Identifier: MIT
//
// What compilers, assemblers and linkers wrote of themselves into a program: the strings of
// .comment, one for each tool that had a hand in it, and, in programs of Fedora and its kin, the
// notes that annobin adds to each object file ("running gcc 11.3.1 20220421"). Neither is loaded,
// so a program that is cut after what it needs to run (see strip.cc) has lost both.
//
// Source: the Watermark specification of "ELF notes for build attributes" (binutils'
// include/elf/common.h, GNU_BUILD_ATTRIBUTE_*).
#pragma once

#include <string>
#include <vector>

#include "common/elf.h"

namespace whittle::analyzer {

// Each once, in the order of the file, safe to print; at most 64. Never throws on any content.
std::vector<std::string> read_compiler_notes(const elf::File& file);

}  // namespace whittle::analyzer
