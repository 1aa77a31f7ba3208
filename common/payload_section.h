// SPDX-License-Identifier: MIT
//
// Sections that hold data for the program itself. A section that is not loaded is normally for
// tools (symbols, debug information), and a program runs without it. But `objcopy --add-section`
// puts data of the author's there as well, and the program finds it by opening its own file and
// looking for the section's name. Such a section must not be removed, and its header must stay.
//
// The two are told apart by exact names, or by what tools themselves require (the strings of a
// symbol table, relocations of a section that exists). A prefix would not do: `.debug_payload` and
// `.note.mydata` are data. A name that is not known is data, too: a file that is kept whole costs
// size, a section that is lost breaks the program.
#pragma once

#include "common/elf.h"

namespace whittle::elf {

// The first section with bytes in the file that no segment loads and that no compiler, linker or
// debugger is known to write; null where there is none. Never throws on any content.
const Section* find_payload_section(const File& file);

}  // namespace whittle::elf
