// SPDX-License-Identifier: MIT
#include <memory>
#include <optional>
#include <vector>

#include "analyzer/analyzer.h"
#include "cli/app.h"
#include "cli/output.h"
#include "common/file.h"
#include "packer/packer.h"
#include "report/inspect_report.h"

namespace whittle::cli {
namespace {

int run(const FileOptions& options, report::Streams streams) {
  const LoadedFile file = read_file(options.input);
  analyzer::BinaryReport binary = analyzer::inspect(file.bytes, options.input);
  std::optional<packer::PackInfo> packed;
  std::optional<packer::Packability> packability;
  // If streams are asked for, a file that has none is refused.
  if (streams == report::Streams::each || packer::is_packed(file.bytes)) {
    packed = packer::inspect(file.bytes, options.input);
    binary.overlay = 0;  // what follows the segments is streams, not appended data
  } else if (!binary.machine.empty()) {
    packer::PackOptions pack_options;
    pack_options.privileged = file.status.is_privileged();
    packability = packer::check(file.bytes, options.input, pack_options);
  }
  if (options.common.quiet) return 0;
  std::optional<std::vector<packer::PlainTable>> plain;
  if (streams == report::Streams::each) plain = packer::plain_tables(file.bytes, options.input);
  print_result(options.common.format == "json"
                   ? report::inspect_json(binary, packed, packability, plain)
                   : report::inspect_text(binary, packed, packability, streams, plain));
  return 0;
}

}  // namespace

void add_inspect(Program& program) {
  auto each_stream = std::make_shared<bool>(false);
  CLI::App* command = add_file_command(
      program, "inspect", "Show everything about one executable",
      "Any file; of a packed one, what is inside", [each_stream](const FileOptions& options) {
        return run(options, *each_stream ? report::Streams::each : report::Streams::by_region);
      });
  command->add_flag("--streams", *each_stream,
                    "For a packed file, list what each stream costs, and\n"
                    "why a table is stored as plain bytes");
  command->footer(
      "Nothing is run. Only --streams unpacks the program, in memory, to say why a\n"
      "table is stored as plain bytes. JSON always lists every stream.\n\n"
      "Example:\n  whittle inspect --streams app.packed");
}

}  // namespace whittle::cli
