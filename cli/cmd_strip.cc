// SPDX-License-Identifier: MIT
#include <memory>

#include "analyzer/analyzer.h"
#include "cli/app.h"
#include "cli/output.h"
#include "common/error.h"
#include "common/file.h"
#include "common/outputs.h"
#include "common/text.h"
#include "packer/packer.h"
#include "report/strip_report.h"

namespace whittle::cli {
namespace {

struct Options {
  std::string input, output;
  CommonOptions common;
};

int run(const Options& options) {
  const auto output =
      output_path(options.output.empty() ? options.input + ".stripped" : options.output);
  refuse_collisions({{"the input", options.input}}, {{"the output", output}});
  const LoadedFile file = read_file(options.input);
  if (packer::is_packed(file.bytes)) {
    throw Error(ErrorKind::refused, options.input,
                "is packed, and stripping would cut off the program itself; strip before packing");
  }
  const analyzer::StripResult result = analyzer::strip(file.bytes, options.input);
  FileStatus status = file.status;
  status.mode &= 0777;
  write_executable(output, result.bytes, status, false);
  if (options.common.quiet) return 0;
  const bool json = options.common.format == "json";
  const std::uint64_t size = file.bytes.size();
  print_status(json ? report::strip_json(options.input, output.native(), size, result)
                    : report::strip_text(output.native(), size, result),
               {output});
  if (json) return 0;
  for (const std::string& note : result.notes) print_message("  " + printable(note));
  if ((file.status.mode & 06000) != 0) print_message("  set-uid and set-gid were not kept");
  return 0;
}

}  // namespace

void add_strip(Program& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_command("strip", "Remove what the program does not need to run",
                                          [options] { return run(*options); });
  command->add_option("FILE", options->input, "A static executable")->required();
  command
      ->add_option("-o,--output", options->output,
                   "Where to write (FILE.stripped); - for standard output")
      ->type_name("OUT");
  add_common_options(command, options->common);
  command->footer(
      "Cuts off symbols, debug information and section headers, except .dep-v0, the\n"
      "list of crates that scanners read. Bytes that the kernel maps stay as they are;\n"
      "the result is never larger than the input. Permissions are kept, but not\n"
      "set-uid, set-gid, owner and times.\n\n"
      "Example:\n  whittle strip app -o app.small");
}

}  // namespace whittle::cli
