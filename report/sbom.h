// SPDX-License-Identifier: MIT
//
// What audited files are made of, as far as they tell: Go's module list and cargo-auditable's list
// of crates are complete; of other Rust programs there are the crates whose sources panic messages
// name, marked as less certain. The same files give the same document: no random serial number, and
// no time but the one that is given.
//
// Sources: CycloneDX 1.5 (ECMA-424's predecessor); SPDX 2.3; the package URL specification.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/analyzer.h"

namespace whittle::report {

// `version` is whittle's own. Files without a report are left out.
std::string cyclonedx(const std::vector<analyzer::AuditedFile>& files, std::string_view version);

// `created` in seconds since 1970, which SPDX insists on.
std::string spdx(const std::vector<analyzer::AuditedFile>& files, std::string_view version,
                 std::int64_t created);

}  // namespace whittle::report
