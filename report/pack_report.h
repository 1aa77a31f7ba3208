// SPDX-License-Identifier: MIT
//
// What `whittle pack` and `whittle verify` have to say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "packer/packer.h"

namespace whittle::report {

// "about 11.9 MiB of memory, besides what the program uses"
std::string start_memory_text(std::uint64_t bytes);

// "app: packed, 4,650,112 bytes instead of 11,427,952 (40.7 %)" or "app: not packed: …".
std::string pack_text(std::string_view path, const packer::PackDecision& decision);

// Schema "whittle.pack/1": {"path", "packed": true, "original_bytes", "packed_bytes",
// "start_memory_bytes", "warnings"} or {"path", "packed": false, "refusal": {"code", "reason"}}.
std::string pack_json(std::string_view path, const packer::PackDecision& decision);

// "app: can be packed", with warnings, or "app: not packed: REASON [CODE]", as `pack --check`
// finds.
std::string packable_text(std::string_view path, const packer::Packability& packability);

// Schema "whittle.pack-check/1": {"path", "packable", "refusal": {"code", "reason"} or null,
// "warnings"}.
std::string packable_json(std::string_view path, const packer::Packability& packability);

// One line a check and the sum of them.
std::string verify_text(std::string_view path, const std::vector<packer::Check>& checks);

// Schema "whittle.verify/1": {"path", "ok", "checks": [{"name", "ok", "detail"}]}. No checks are
// not ok.
std::string verify_json(std::string_view path, const std::vector<packer::Check>& checks);

}  // namespace whittle::report
