// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <memory>

#include "cli/app.h"
#include "cli/output.h"
#include "common/error.h"
#include "common/file.h"
#include "common/outputs.h"
#include "packer/packer.h"
#include "report/strip_report.h"

namespace whittle::cli {
namespace {

struct Options {
  std::string input, output;
  bool original = false;
  CommonOptions common;
};

int run(const Options& options) {
  const auto output =
      output_path(options.output.empty() ? options.input + ".unpacked" : options.output);
  refuse_collisions({{"the input", options.input}}, {{"the output", output}});
  const LoadedFile file = read_file(options.input);
  const packer::PackInfo info = packer::inspect(file.bytes, options.input);
  if (options.original && !info.is_original()) {
    throw Error(
        ErrorKind::refused, options.input,
        fmt::format("was stripped before it was packed, so the file of {} bytes before that "
                    "(SHA-256 {}) is gone; without --original you get the stripped file",
                    info.source_size, info.source_sha256));
  }
  const Bytes unpacked = packer::unpack(file.bytes, options.input);
  FileStatus status = file.status;
  status.mode &= 0777;
  write_executable(output, unpacked, status, false);
  if (options.common.quiet) return 0;
  print_status(options.common.format == "json"
                   ? report::unpack_json(options.input, output.native(), info)
                   : report::unpack_text(output.native(), info),
               {output});
  return 0;
}

}  // namespace

void add_unpack(Program& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_command("unpack", "Restore the original file, bit for bit",
                                          [options] { return run(*options); });
  command->add_option("FILE", options->input, "A packed executable")->required();
  command
      ->add_option("-o,--output", options->output,
                   "Where to write (FILE.unpacked); - for standard output")
      ->type_name("OUT");
  command->add_flag("--original", options->original, "Refuse if it was stripped before packing");
  add_common_options(command, options->common);
  command->footer(
      "You get the file that was packed. After `pack --strip` that is the stripped one;\n"
      "--original then refuses (exit status 3), because what was stripped is gone.\n"
      "Permissions are kept, but not set-uid, set-gid, owner and times.\n\n"
      "Example:\n  whittle unpack app.packed -o app");
}

}  // namespace whittle::cli
