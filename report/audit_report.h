// SPDX-License-Identifier: MIT
//
// The verdicts on many files, for `whittle audit`. Without any file no document looks like success:
// each says that there was none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyzer/analyzer.h"

namespace whittle::report {

// One line a file, its warnings below it, and the totals at the end, which say what failed.
std::string audit_text(const std::vector<analyzer::AuditedFile>& files);

// Schema "whittle.audit/1": {"files": [{"path", "verdict", "reasons", "system", "needs",
// "hardening", "violations": [{"rule", "answer": "violated" or "unknown", "reason"}], …} or
// {"path", "error"}], "totals": {"files", "static", "not_static", "errors", "violations"}}.
std::string audit_json(const std::vector<analyzer::AuditedFile>& files);

// SARIF 2.1.0, for code scanning: violations are errors, needs of medium and high confidence are
// warnings, others notes; `version` is whittle's. Source: OASIS, Static Analysis Results
// Interchange Format 2.1.0.
std::string audit_sarif(const std::vector<analyzer::AuditedFile>& files, std::string_view version);

// JUnit's XML, for CI: a test case a file, which fails with its violations; a file that could not
// be judged is an error.
std::string audit_junit(const std::vector<analyzer::AuditedFile>& files);

// A table of verdicts, then what every file violates and needs, with what to do about it.
std::string audit_markdown(const std::vector<analyzer::AuditedFile>& files);

}  // namespace whittle::report
