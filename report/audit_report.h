// SPDX-License-Identifier: MIT
//
// The verdicts on many files, for `whittle audit`. Without any file no document looks like success:
// each says that there was none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyzer/analyzer.h"
#include "analyzer/image_report.h"

namespace whittle::report {

using Images = std::vector<analyzer::ImageReport>;

// `brief`: one line for each file without failures, and of the others only what failed and why.
enum class Detail { brief, full };

// Failures first, then a line of totals, which says how many failed, then files and images without
// failures; in 80 columns.
std::string audit_text(const std::vector<analyzer::AuditedFile>& files, const Images& images = {},
                       Detail detail = Detail::full);

// Schema "whittle.audit/1": {"files": [{"path", "verdict", "reasons", "system", "needs",
// "hardening", "violations": [{"rule", "answer": "violated" or "unknown", "reason"}], …} or
// {"path", "error"}], "images": [{"path", "platform", "entrypoint", "scripts", "contents",
// "not_looked_at", "violations", …}], "totals": {"files", "static", "not_static", "errors",
// "violations"}}.
std::string audit_json(const std::vector<analyzer::AuditedFile>& files, const Images& images = {});

// SARIF 2.1.0, for code scanning: violations are errors, needs of medium and high confidence are
// warnings, others notes; `version` is whittle's. Source: OASIS, Static Analysis Results
// Interchange Format 2.1.0.
std::string audit_sarif(const std::vector<analyzer::AuditedFile>& files, std::string_view version,
                        const Images& images = {});

// JUnit's XML, for CI: a test case a file and a test case an image, which fails with its
// violations; a file that could not be judged is an error.
std::string audit_junit(const std::vector<analyzer::AuditedFile>& files, const Images& images = {});

// A table of verdicts, then what every file violates and needs, with what to do about it; and the
// same for images.
std::string audit_markdown(const std::vector<analyzer::AuditedFile>& files,
                           const Images& images = {});

}  // namespace whittle::report
