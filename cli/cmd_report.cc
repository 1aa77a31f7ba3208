// SPDX-License-Identifier: MIT
#include <memory>

#include "cli/app.h"
#include "cli/output.h"
#include "common/file.h"
#include "report/attribution_report.h"

namespace whittle::cli {
namespace {

struct Options {
  std::string file, newer;
  std::size_t rows = 20;
  CommonOptions common;
};

report::AttributedFile read(const std::string& path) {
  return {path, analyzer::attribute(read_file(path).bytes, path)};
}

int run(const Options& options) {
  const bool json = options.common.format == "json";
  const report::AttributedFile file = read(options.file);
  std::string text;
  if (options.newer.empty()) {
    text = json ? report::attribution_json(file) : report::attribution_text(file, options.rows);
  } else {
    const report::AttributedFile newer = read(options.newer);
    text = json ? report::growth_json(file, newer) : report::growth_text(file, newer, options.rows);
  }
  if (!options.common.quiet) print_result(text);
  return 0;
}

}  // namespace

void add_report(Program& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_command("report", "Show what an executable's bytes belong to",
                                          [options] { return run(*options); });
  command->add_option("FILE", options->file, "An executable, ideally not yet stripped")->required();
  command->add_option("NEW", options->newer, "A newer build: show what grew and shrank");
  command->add_option("--rows", options->rows, "Lines of each table (20)")
      ->type_name("N")
      ->check(number_from(1, 1'000'000));
  add_common_options(command, options->common);
  command->footer(
      "Bytes belong to Go packages, crates of Rust programs, namespaces of C++. Go\n"
      "packages are known even in stripped files, and include their share of Go's\n"
      "function table. Each table adds up to the file.\n\n"
      "Example:\n  whittle report app.old app");
}

}  // namespace whittle::cli
