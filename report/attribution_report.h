// SPDX-License-Identifier: MIT
//
// Whose a file's bytes are, for `whittle report`.
#pragma once

#include <string>

#include "analyzer/attribution.h"

namespace whittle::report {

struct AttributedFile {
  std::string path;
  analyzer::Attribution attribution;
};

// Tables of segments, sections, owners and functions; `rows` of each, the rest in one line.
std::string attribution_text(const AttributedFile& file, std::size_t rows);

// Schema "whittle.attribution/1": {"path", "size_bytes", "segments": [{"name", "bytes"}], …}.
std::string attribution_json(const AttributedFile& file);

// Owners whose share differs, the largest difference first.
std::string growth_text(const AttributedFile& before, const AttributedFile& after,
                        std::size_t rows);

// Schema "whittle.growth/1": {"before", "after", "size_before", "size_after", "owners": [{"name",
// "before", "after"}]}.
std::string growth_json(const AttributedFile& before, const AttributedFile& after);

}  // namespace whittle::report
