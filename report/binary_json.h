// SPDX-License-Identifier: MIT
#pragma once

#include "analyzer/report.h"
#include "report/json.h"

namespace whittle::report {

// What an audit says of a binary: verdict, reasons, machine, and what it was made by. Members that
// mean nothing for the file (a machine where it is no ELF) are left out.
Json summary_json(const analyzer::BinaryReport& binary);

// The summary with segments, sections, Go modules and the rest.
Json detail_json(const analyzer::BinaryReport& binary);

}  // namespace whittle::report
