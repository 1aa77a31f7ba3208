// SPDX-License-Identifier: MIT
//
// One executable in full, for `whittle inspect`; a packed one together with what it says about the
// program inside.
#pragma once

#include <optional>
#include <string>

#include "analyzer/report.h"
#include "packer/packer.h"

namespace whittle::report {

std::string inspect_text(const analyzer::BinaryReport& binary,
                         const std::optional<packer::PackInfo>& packed);

// Schema "whittle.inspect/1": {"path", "binary": {…}, "packed": {…} or null}.
std::string inspect_json(const analyzer::BinaryReport& binary,
                         const std::optional<packer::PackInfo>& packed);

}  // namespace whittle::report
