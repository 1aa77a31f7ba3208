// SPDX-License-Identifier: MIT
#include "report/strip_report.h"

#include <fmt/format.h>

#include "common/text.h"
#include "report/json.h"
#include "report/text_table.h"

namespace whittle::report {

std::string strip_text(std::string_view output, std::uint64_t original_size,
                       const analyzer::StripResult& result) {
  return fmt::format("{}: {} bytes instead of {}\n", printable(output),
                     group_digits(result.bytes.size()), group_digits(original_size));
}

std::string strip_json(std::string_view path, std::string_view output, std::uint64_t original_size,
                       const analyzer::StripResult& result) {
  return dump({{"schema", "whittle.strip/1"},
               {"path", path},
               {"output", output},
               {"original_bytes", original_size},
               {"stripped_bytes", result.bytes.size()},
               {"notes", result.notes}});
}

std::string unpack_text(std::string_view output, const packer::PackInfo& info) {
  return fmt::format("{}: {} bytes, as packed{}\n", printable(output),
                     group_digits(info.original_size),
                     info.is_original() ? "" : " (stripped before packing)");
}

std::string unpack_json(std::string_view path, std::string_view output,
                        const packer::PackInfo& info) {
  return dump({{"schema", "whittle.unpack/1"},
               {"path", path},
               {"output", output},
               {"bytes", info.original_size},
               {"sha256", info.original_sha256},
               {"is_original", info.is_original()}});
}

}  // namespace whittle::report
