// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "analyzer/policy.h"

namespace whittle::config {

// Adds the requirements of a policy file, YAML: `require: [static, nx, "go>=1.22"]`. Throws
// Error{usage} with line and column for any mistake, Error{io} where it cannot be read.
void read_policy(const std::filesystem::path& path, analyzer::Policy& policy);

}  // namespace whittle::config
