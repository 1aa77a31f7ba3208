// SPDX-License-Identifier: MIT
#include <optional>

#include "analyzer/analyzer.h"
#include "cli/app.h"
#include "cli/output.h"
#include "common/file.h"
#include "packer/packer.h"
#include "report/inspect_report.h"

namespace whittle::cli {
namespace {

int run(const FileOptions& options) {
  const LoadedFile file = read_file(options.input);
  analyzer::BinaryReport binary = analyzer::inspect(file.bytes, options.input);
  std::optional<packer::PackInfo> packed;
  std::optional<report::Packability> packability;
  if (packer::is_packed(file.bytes)) {
    packed = packer::inspect(file.bytes, options.input);
    binary.overlay = 0;  // what stands behind the segments are streams, not somebody's appendix
  } else if (!binary.machine.empty()) {
    packability = report::Packability{packer::check(file.bytes, options.input)};
  }
  if (options.common.quiet) return 0;
  print_result(options.common.format == "json" ? report::inspect_json(binary, packed, packability)
                                               : report::inspect_text(binary, packed, packability));
  return 0;
}

}  // namespace

void add_inspect(Program& program) {
  CLI::App* command = add_file_command(program, "inspect", "Tell everything about one executable",
                                       "Any file; packed ones tell of what is inside", run);
  command->footer(
      "Nothing is run and nothing is unpacked.\n\n"
      "Example:\n  whittle inspect --format json app.packed");
}

}  // namespace whittle::cli
