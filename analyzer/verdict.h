// SPDX-License-Identifier: MIT
//
// Is it static? The verdict on an ELF file, with every reason for it, from our own reader alone.
#pragma once

#include <string>
#include <vector>

#include "analyzer/report.h"
#include "common/elf.h"
#include "common/system.h"

namespace whittle::analyzer {

struct Verdict {
  Kind kind = Kind::not_elf;
  std::vector<Reason> reasons;  // never empty
  std::string interpreter;
  std::vector<std::string> needed;
  std::vector<std::string> warnings;  // odd fields that do not change the verdict
};

// Throws Error{malformed} where the file cannot be what its header says: an unknown type, a program
// without a loadable segment, a class that the machine does not have, a damaged dynamic section;
// and as `require_searchable` does.
Verdict judge(const elf::File& file, const elf::System& system);

// Throws Error{malformed} where segments claim the file's bytes so often that searching all of them
// would take hours.
void require_searchable(const elf::File& file);

}  // namespace whittle::analyzer
