// SPDX-License-Identifier: MIT
//
// The part of an audit's reports that is about whole images.
#pragma once

#include <string>
#include <vector>

#include "analyzer/image_report.h"
#include "report/json.h"

namespace whittle::report {

Json image_json(const analyzer::ImageReport& image);

// "starts /app (static)", "does not start: /app is not in the image".
std::string startup_text(const analyzer::ImageReport& image);

// A line for each interpreter: "script for /bin/sh (missing): /entry.sh and 2 more".
std::vector<std::string> script_lines(const analyzer::ImageReport& image);

}  // namespace whittle::report
