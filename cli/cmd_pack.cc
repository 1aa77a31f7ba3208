// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <memory>

#include "analyzer/analyzer.h"
#include "cli/app.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "common/error.h"
#include "common/file.h"
#include "common/outputs.h"
#include "common/text.h"
#include "packer/packer.h"
#include "report/pack_report.h"

namespace whittle::cli {
namespace {

struct Options {
  std::string input, output;
  std::string level = "fast", goal = "disk";
  bool strip = false;
  bool allow_privileged = false;
  bool check = false;
  bool no_preserve = false;
  CommonOptions common;
};

packer::Goal goal_of(std::string_view name) {
  if (name == "pull") return packer::Goal::pull;
  return name == "start" ? packer::Goal::start : packer::Goal::disk;
}

[[noreturn]] void refuse(const std::string& path, const packer::Refusal& refusal) {
  throw Error(ErrorKind::refused, path,
              fmt::format("{} [{}]", printable(refusal.reason), refusal.code));
}

int check(const Options& options) {
  const LoadedFile file = read_file(options.input);
  packer::PackOptions pack_options;
  pack_options.privileged = !options.allow_privileged && file.status.is_privileged();
  const auto packability = packer::check(file.bytes, options.input, pack_options);
  const bool json = options.common.format == "json";
  if (!options.common.quiet && (json || !packability.refusal)) {
    print_result(json ? report::packable_json(options.input, packability)
                      : report::packable_text(options.input, packability));
  }
  if (packability.refusal) refuse(options.input, *packability.refusal);
  return 0;
}

int run(const Options& options) {
  if (options.check) return check(options);
  const auto output =
      output_path(options.output.empty() ? options.input + ".packed" : options.output);
  refuse_collisions({{"the input", options.input}}, {{"the output", output}});
  const LoadedFile file = read_file(options.input);

  ProgressLine progress(options.common.quiet);
  packer::PackOptions pack_options;
  pack_options.privileged = !options.allow_privileged && file.status.is_privileged();
  pack_options.level = *packer::level_from_name(options.level);  // CLI11 has checked it
  pack_options.goal = goal_of(options.goal);
  pack_options.progress = [&](std::uint64_t done, std::uint64_t total) {
    progress.show("packing " + options.input, done, total);
  };
  Bytes stripped;
  if (options.strip && !packer::is_packed(file.bytes)) {
    stripped = analyzer::strip(file.bytes, options.input).bytes;
    pack_options.stripped_from = file.bytes;
  }
  const packer::PackDecision decision =
      packer::pack(pack_options.stripped_from ? stripped : file.bytes, options.input, pack_options);
  progress.clear();

  const bool json = options.common.format == "json";
  if (decision.refusal) {
    if (json && !options.common.quiet) print_result(report::pack_json(options.input, decision));
    refuse(options.input, *decision.refusal);
  }
  FileStatus status = file.status;
  status.mode &= options.allow_privileged ? 07777 : 0777;
  write_executable(output, decision.packed->bytes, status, !options.no_preserve);
  if (options.common.quiet) return 0;
  print_status(json ? report::pack_json(options.input, decision)
                    : report::pack_text(options.input, decision),
               {output});
  return 0;
}

}  // namespace

void add_pack(Program& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_command("pack", "Make an executable that unpacks itself in memory",
                          [options] { return run(*options); });
  command->add_option("FILE", options->input, "A static executable")->required();
  CLI::Option* output = command
                            ->add_option("-o,--output", options->output,
                                         "Where to write (FILE.packed); - for standard output")
                            ->type_name("OUT");
  command->add_flag("--strip", options->strip, "Strip it first");
  command->add_option("--level", options->level, "fast (the default), small, or auto (tries both)")
      ->type_name("LEVEL")
      ->check(one_of({"fast", "small", "auto"}));
  const CLI::Option* goal =
      command->add_option("--goal", options->goal, "What auto minimises: disk, pull or start")
          ->type_name("GOAL")
          ->check(one_of({"disk", "pull", "start"}));
  command->add_flag("--allow-privileged", options->allow_privileged,
                    "Also pack set-uid programs and the like");
  command->add_flag("--no-preserve", options->no_preserve,
                    "Keep only the mode of FILE, not its owner and times");
  command->add_flag("--check", options->check, "Only say whether it can be packed; write nothing")
      ->excludes(output);
  command->final_callback([options, goal] {
    if (goal->count() != 0 && options->level != "auto") {
      throw CLI::RequiresError("--goal", "--level auto");
    }
  });
  add_common_options(command, options->common);
  command->footer(
      "The result is unpacked again and compared before it is written; FILE is left\n"
      "alone. What cannot be packed soundly is refused with a reason: exit status 3.\n"
      "Mode, owner and times of FILE are kept. Symbolic links are followed. If -o names\n"
      "one of several hard links, only that name is replaced.\n\n"
      "Example:\n  whittle pack --strip app -o app.packed");
}

}  // namespace whittle::cli
