// SPDX-License-Identifier: MIT
//
// One executable in full, for `whittle inspect`; a packed one together with what it says about the
// program inside.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/report.h"
#include "packer/packer.h"

namespace whittle::report {

// Rows of the table that shows where the bytes of a packed file are.
enum class Streams {
  by_region,  // the parts of one region in one row
  each,       // every stream, with its codec
};

// `plain_tables` are listed where they have been looked for.
std::string inspect_text(
    const analyzer::BinaryReport& binary, const std::optional<packer::PackInfo>& packed,
    const std::optional<packer::Packability>& packability = std::nullopt,
    Streams streams = Streams::by_region,
    const std::optional<std::vector<packer::PlainTable>>& plain_tables = std::nullopt);

// `packability` is of an ELF file that is not packed. Schema "whittle.inspect/1": {"path",
// "binary": {…}, "packed": {…, "plain_tables": [{"what", "address", "bytes", "why"}] or null} or
// null, "packable": {"ok", "refusal": {"code", "reason"} or null, "warnings"} or null}.
std::string inspect_json(
    const analyzer::BinaryReport& binary, const std::optional<packer::PackInfo>& packed,
    const std::optional<packer::Packability>& packability = std::nullopt,
    const std::optional<std::vector<packer::PlainTable>>& plain_tables = std::nullopt);

}  // namespace whittle::report
