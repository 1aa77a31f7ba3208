// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <memory>

#include "analyzer/analyzer.h"
#include "cli/app.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "common/error.h"
#include "flow/audit.h"
#include "report/audit_report.h"

namespace whittle::cli {
namespace {

struct Options {
  std::vector<std::string> paths;
  std::string root;
  CommonOptions common;
};

// A file that is not static is a failed check and decides; where there is none, the gravest error.
int status_of(const std::vector<analyzer::AuditedFile>& files) {
  int status = 0;
  for (const auto& file : files) {
    if (file.report && !analyzer::is_static(file.report->kind)) {
      return exit_code(ErrorKind::failed);
    }
    if (!file.report) status = std::max(status, file.error_exit_code);
  }
  return status;
}

int run(const Options& options) {
  ProgressLine progress(options.common.quiet);
  const auto files =
      flow::audit({options.paths.begin(), options.paths.end()},
                  {.root = options.root, .progress = [&](std::uint64_t done, std::uint64_t all) {
                     progress.show("auditing", done, all);
                   }});
  progress.clear();
  if (!options.common.quiet) {
    print_result(options.common.format == "json" ? report::audit_json(files)
                                                 : report::audit_text(files));
  }
  return status_of(files);
}

}  // namespace

void add_audit(Program& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_command("audit", "Say which executables are static, and why not",
                                          [options] { return run(*options); });
  command->add_option("PATH", options->paths, "Files, or folders to walk")->required();
  command->add_option("--root", options->root, "Look for shared libraries in this root folder")
      ->type_name("DIR");
  add_common_options(command, options->common);
  command->footer(
      "One line a file. Folders are walked without following links; what is not an\n"
      "executable is passed over there, and reported where it is named.\n"
      "Exits 1 when a file is not static; else, when files could not be judged, with\n"
      "the status of the gravest error; else 0.\n\n"
      "Example:\n  whittle audit ./app /usr/local/bin");
}

}  // namespace whittle::cli
