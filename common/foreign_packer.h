// SPDX-License-Identifier: MIT
//
// Programs that a packer other than whittle's made. Such a file's headers are its packer's: they
// tell nothing of the program inside, not even whether it is static. (UPX's stub loads the
// interpreter of a dynamic program by itself; what it writes has neither PT_INTERP nor DT_NEEDED.)
//
// Source: UPX's src/stub/src/include/linux.h (l_info and p_info).
#pragma once

#include <optional>

#include "analyzer/report.h"
#include "common/elf.h"

namespace whittle::analyzer {

// Recognises UPX by its header in the first page. Who wipes that out, as malware does, is not
// found. Never throws on any content.
std::optional<Packing> find_foreign_packer(const elf::File& file);

}  // namespace whittle::analyzer
