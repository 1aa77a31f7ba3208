// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "analyzer/report.h"
#include "report/json.h"

namespace whittle::report {

// What an audit says of a binary: verdict, reasons, machine, system, and what it was made by.
// Members that mean nothing for the file (a machine where it is no ELF) are left out.
Json summary_json(const analyzer::BinaryReport& binary);

// "whittle 0.1.0 (fast)", "UPX 3.96".
std::string packing_text(const analyzer::Packing& packing);

// The summary with segments, sections, Go modules and the rest.
Json detail_json(const analyzer::BinaryReport& binary);

}  // namespace whittle::report
