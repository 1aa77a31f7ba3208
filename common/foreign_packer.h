// SPDX-License-Identifier: MIT
//
// Programs that a packer other than whittle's made. Such a file's headers are its packer's: they
// tell nothing of the program inside, not even whether it is static. (UPX's stub loads the
// interpreter of a dynamic program by itself; what it writes has neither PT_INTERP nor DT_NEEDED.)
//
// Source: UPX's src/stub/src/include/linux.h (l_info and p_info).
#pragma once

#include <optional>
#include <string>

#include "common/elf.h"

namespace whittle {

struct ForeignPacker {
  std::string name;     // "UPX"
  std::string version;  // "3.96"; empty where the file does not tell
};

// Recognises UPX by its header in the first page. Who wipes that out, as malware does, is not
// found. Never throws on any content.
std::optional<ForeignPacker> find_foreign_packer(const elf::File& file);

std::string name_and_version(const ForeignPacker& packer);  // "UPX 3.96", "UPX"

}  // namespace whittle
