// SPDX-License-Identifier: MIT
//
// What `whittle strip` and `whittle unpack` have to say: a line each. Their notes are messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "analyzer/analyzer.h"
#include "packer/packer.h"

namespace whittle::report {

// "app.stripped: 1,024 bytes instead of 4,096".
std::string strip_text(std::string_view output, std::uint64_t original_size,
                       const analyzer::StripResult& result);

// Schema "whittle.strip/1": {"path", "output", "original_bytes", "stripped_bytes", "notes"}.
std::string strip_json(std::string_view path, std::string_view output, std::uint64_t original_size,
                       const analyzer::StripResult& result);

// "app: 4,096 bytes, as packed", and whether it had been stripped before that.
std::string unpack_text(std::string_view output, const packer::PackInfo& info);

// Schema "whittle.unpack/1": {"path", "output", "bytes", "sha256", "is_original"}.
std::string unpack_json(std::string_view path, std::string_view output,
                        const packer::PackInfo& info);

}  // namespace whittle::report
