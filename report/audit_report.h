// SPDX-License-Identifier: MIT
//
// The verdicts on many files, for `whittle audit`.
#pragma once

#include <string>
#include <vector>

#include "analyzer/analyzer.h"

namespace whittle::report {

// One line a file, its warnings below it, and the totals at the end.
std::string audit_text(const std::vector<analyzer::AuditedFile>& files);

// Schema "whittle.audit/1": {"files": [{"path", "verdict", "reasons", …} or {"path", "error"}],
// "totals": {"files", "static", "not_static", "errors"}}.
std::string audit_json(const std::vector<analyzer::AuditedFile>& files);

}  // namespace whittle::report
