// SPDX-License-Identifier: MIT
#include <algorithm>

#include "cli/app.h"
#include "cli/output.h"
#include "common/error.h"
#include "common/file.h"
#include "packer/packer.h"
#include "report/pack_report.h"

namespace whittle::cli {
namespace {

int run(const FileOptions& options) {
  const LoadedFile file = read_file(options.input);
  const std::vector<packer::Check> checks = packer::verify(file.bytes, options.input);
  if (!options.common.quiet) {
    print_result(options.common.format == "json" ? report::verify_json(options.input, checks)
                                                 : report::verify_text(options.input, checks));
  }
  const bool ok = !checks.empty() && std::all_of(checks.begin(), checks.end(),
                                                 [](const auto& check) { return check.ok; });
  return ok ? 0 : exit_code(ErrorKind::failed);
}

}  // namespace

void add_verify(Program& program) {
  CLI::App* command = add_file_command(program, "verify", "Check a packed file without running it",
                                       "A packed executable", run);
  command->footer(
      "Checks every digest and decodes the whole file. Exits 1 when a check fails.\n\n"
      "Example:\n  whittle verify app.packed && ./app.packed");
}

}  // namespace whittle::cli
