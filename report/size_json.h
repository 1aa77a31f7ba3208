// SPDX-License-Identifier: MIT
//
// The size report as JSON, for the documents that contain one.
#pragma once

#include "report/json.h"
#include "report/size_report.h"

namespace whittle::report {

Json size_json(const SizeReport& report);

}  // namespace whittle::report
