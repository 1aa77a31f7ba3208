// SPDX-License-Identifier: MIT
#include <sys/xattr.h>

#include <memory>

#include "analyzer/analyzer.h"
#include "cli/app.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include "packer/packer.h"
#include "report/pack_report.h"

namespace whittle::cli {
namespace {

struct Options {
  std::string input, output;
  std::string level = "fast";
  bool strip = false;
  bool allow_privileged = false;
  CommonOptions common;
};

// Set-uid, set-gid, or capabilities that the kernel grants to whoever runs the file.
bool is_privileged(const std::string& path, const FileStatus& status) {
  return (status.mode & 06000) != 0 ||
         ::getxattr(path.c_str(), "security.capability", nullptr, 0) > 0;
}

int run(const Options& options) {
  const std::string output = options.output.empty() ? options.input + ".packed" : options.output;
  refuse_same_file(options.input, output);
  const LoadedFile file = read_file(options.input);

  ProgressLine progress(options.common.quiet);
  packer::PackOptions pack_options;
  pack_options.privileged = !options.allow_privileged && is_privileged(options.input, file.status);
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
    throw Error(ErrorKind::refused, options.input, printable(decision.refusal->reason));
  }
  write_executable(output, decision.packed->bytes,
                   file.status.mode & (options.allow_privileged ? 07777 : 0777));
  if (options.common.quiet) return 0;
  print_result(json ? report::pack_json(options.input, decision)
                    : report::pack_text(options.input, decision));
  return 0;
}

}  // namespace

void add_pack(Program& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_command("pack", "Make an executable that unpacks itself in memory",
                          [options] { return run(*options); });
  command->add_option("FILE", options->input, "A static executable")->required();
  command->add_option("-o,--output", options->output, "Where to write (FILE.packed)")
      ->type_name("OUT");
  command->add_flag("--strip", options->strip, "Strip it before");
  command->add_option("--level", options->level, "How hard to try: fast")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"fast"}).description(""));
  command->add_flag("--allow-privileged", options->allow_privileged,
                    "Pack set-uid programs and the like too");
  add_common_options(command, options->common);
  command->footer(
      "The result is unpacked again and compared before it is written; FILE stays as\n"
      "it is. What cannot be packed soundly is refused with the reason: exit status 3.\n\n"
      "Example:\n  whittle pack --strip app -o app.packed");
}

}  // namespace whittle::cli
