// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "cli/app.h"
#include "cli/interrupts.h"
#include "cli/output.h"
#include "cli/stage_log.h"
#include "cli/values.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include "config/build_file.h"
#include "flow/plan.h"
#include "flow/run.h"
#include "ship/source_date.h"

namespace whittle::cli {
namespace {

struct Options {
  std::string file, dir = ".";
  unsigned jobs = 0;
  std::vector<std::string> env;
  bool no_weigh = false;
  CommonOptions common;
};

// What `_env(NAME)` in the build file stands for: this process's environment, or, when any is given
// on the command line, those and nothing else.
Environment substitutions(const std::vector<std::string>& assignments) {
  if (assignments.empty()) return process_environment();
  Environment environment;
  for (const std::string& text : assignments) {
    const auto [name, value] = parse_assignment("--env", text);
    environment[name] = value;
  }
  return environment;
}

int run(const Options& options) {
  const std::filesystem::path path = options.file.empty()
                                         ? std::filesystem::path(options.dir) / "build.yml"
                                         : std::filesystem::path(options.file);
  const std::string name = path.lexically_normal().native();
  const LoadedFile file = read_file(path, std::uint64_t{1} << 20);
  const flow::Plan plan = flow::make_plan(
      config::parse_build_file(as_text(file.bytes), name, substitutions(options.env)));

  StageLog log(options.common.quiet);
  flow::Build build(plan,
                    {.work_dir = options.dir,
                     .jobs = options.jobs,
                     .created = ship::source_date_epoch(process_environment()),
                     .weigh = !options.no_weigh && !options.common.quiet},
                    log);
  report::BuildReport report;
  {
    const Interrupts interrupts(build);
    report = build.run();
  }
  const bool is_json = options.common.format == "json";
  if (!options.common.quiet && (report.is_done() || is_json)) {
    const std::string text = report::render(report, *report_format(options.common.format));
    if (!text.empty()) print_result(text);
  }
  // The first failure decides what the build ends with.
  int status = 0;
  for (const std::size_t index : report.failures) {
    const Error& error = *report.steps[index].error;
    print_error(error.what());
    if (status == 0) status = exit_code(error.kind());
  }
  return status;
}

}  // namespace

void add_build(Program& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_command("build", "Run a build.yml: build, strip, pack, image",
                                          [options] { return run(*options); });
  command->add_option("-f,--file", options->file, "The build file (DIR/build.yml)")
      ->type_name("FILE");
  command->add_option("-d,--dir", options->dir, "The work directory (.)")->type_name("DIR");
  command->add_option("-j,--jobs", options->jobs, "Steps at once (one per processor)")
      ->type_name("N")
      ->check(number_from(1, 256));
  command
      ->add_option("--env", options->env,
                   "What _env(NAME) stands for, instead of the\nenvironment; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  add_no_weigh(command, options->no_weigh);
  add_common_options(command, options->common, {"text", "json", "markdown"});
  command->footer(
      "The log of the steps goes to standard error, the size report to standard\n"
      "output; in JSON, one document that says what became of every step, also\n"
      "when one has failed. Images carry the time given by SOURCE_DATE_EPOCH, or\n"
      "else 1970, so that two builds are equal.\n\n"
      "Example:\n  whittle build -d samples/hello-http --format markdown");
}

}  // namespace whittle::cli
