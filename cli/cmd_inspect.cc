// SPDX-License-Identifier: MIT
#include <memory>
#include <optional>

#include "analyzer/analyzer.h"
#include "cli/app.h"
#include "cli/output.h"
#include "common/file.h"
#include "packer/packer.h"
#include "report/inspect_report.h"

namespace whittle::cli {
namespace {

struct Options {
  std::string input;
  bool streams = false;
  CommonOptions common;
};

int run(const Options& options) {
  const LoadedFile file = read_file(options.input);
  analyzer::BinaryReport binary = analyzer::inspect(file.bytes, options.input);
  std::optional<packer::PackInfo> packed;
  std::optional<report::Packability> packability;
  if (options.streams || packer::is_packed(file.bytes)) {  // of a plain file: refused
    packed = packer::inspect(file.bytes, options.input);
    binary.overlay = 0;  // what stands behind the segments are streams, not somebody's appendix
  } else if (!binary.machine.empty()) {
    packability = report::Packability{packer::check(file.bytes, options.input)};
  }
  if (options.common.quiet) return 0;
  const auto rows = options.streams ? report::Streams::each : report::Streams::by_region;
  print_result(options.common.format == "json"
                   ? report::inspect_json(binary, packed, packability)
                   : report::inspect_text(binary, packed, packability, rows));
  return 0;
}

}  // namespace

void add_inspect(Program& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_command("inspect", "Tell everything about one executable",
                                          [options] { return run(*options); });
  command->add_option("FILE", options->input, "Any file; packed ones tell of what is inside")
      ->required();
  command->add_flag("--streams", options->streams,
                    "Of a packed file, tell what each of its streams costs");
  add_common_options(command, options->common);
  command->footer(
      "Nothing is run and nothing is unpacked. JSON always lists every stream.\n\n"
      "Examples:\n  whittle inspect --format json app.packed\n"
      "  whittle inspect --streams app.packed");
}

}  // namespace whittle::cli
