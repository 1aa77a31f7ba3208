// SPDX-License-Identifier: MIT
//
// RELRO in a program without a loader. PT_GNU_RELRO marks tables that are to be read-only once they
// are filled, and somebody has to make them so. For a dynamic program the loader does; a static one
// depends on its own start-up code:
//
//   glibc  fills the slots of indirect functions (IRELATIVE relocations: strlen has a version for
//          each kind of processor), then protects PT_GNU_RELRO. The slots are in .got.plt, which is
//          part of PT_GNU_RELRO only after -z now.
//   musl   protects nothing: it leaves that to its loader.
//
// The relocations of a static program at fixed addresses are in no table that a header names, so
// they are looked for: an address in writable data, the relocation's number, an address of code.
#pragma once

#include <string_view>

#include "analyzer/report.h"
#include "common/elf.h"

namespace whittle::analyzer {

// `yes` where everything that start-up code fills is protected afterwards, `partial` where slots of
// indirect functions stay writable, `no` without PT_GNU_RELRO or with a C library that ignores it
// ("musl"), `unknown` where the C library is. Never throws on any content.
HardeningState find_static_relro(const elf::File& file, std::string_view libc);

}  // namespace whittle::analyzer
