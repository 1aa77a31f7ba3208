// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <memory>

#include "cli/app.h"
#include "cli/output.h"
#include "cli/stage_log.h"
#include "cli/values.h"
#include "common/error.h"
#include "common/file.h"
#include "common/outputs.h"
#include "common/text.h"
#include "ship/added_file.h"
#include "ship/image_mistake.h"
#include "ship/ship.h"
#include "ship/source_date.h"

namespace whittle::cli {
namespace {

struct Options {
  ship::ImageRequest image;
  std::string input, report, compression = "gzip";
  std::vector<std::string> env, labels, annotations;
  bool no_weigh = false;
  CommonOptions common;
};

// All of them, before the work: ship::ship_executable knows nothing of the report.
void refuse_collisions(const Options& options) {
  std::vector<NamedPath> inputs = {{"the executable", options.input}};
  for (const std::string& text : options.image.add) {
    inputs.push_back({"a source of `--add`", ship::parse_added_file(text).source, true});
  }
  refuse_collisions(inputs, {{"`--output`", options.image.output},
                             {"`--layout`", options.image.layout},
                             {"`--report`", options.report}});
}

// Applies the rules of a build file's keys, each of which is an option here.
void refuse_mistakes(const ship::ShipRequest& block) {
  const auto mistake = ship::find_image_mistake(block);
  if (!mistake) return;
  const std::string option = mistake->key == "binary"        ? block.binary
                             : mistake->key == "labels"      ? "--label"
                             : mistake->key == "annotations" ? "--annotation"
                                                             : fmt::format("--{}", mistake->key);
  throw Error(ErrorKind::usage, option, mistake->message);
}

// Whether anyone sees the size report.
bool is_shown(const Options& options) {
  return !options.report.empty() || (options.common.format == "json" && !options.common.quiet);
}

// A line for each output.
std::string described(const ship::ImageRequest& image, const report::SizeReport& report) {
  std::string lines;
  for (const std::string& output : {image.output, image.layout}) {
    if (output.empty()) continue;
    lines +=
        fmt::format("{}: {} {}\n", printable(output), report.image_reference, report.image_digest);
  }
  return lines;
}

// "-" is standard output, which may be a terminal for a report, but not for an archive.
Options with_paths(Options options) {
  if (options.report == "-") options.report = kStandardOutput;
  std::string& output = options.image.output;
  if (!output.empty()) output = output_path(output).native();
  return options;
}

int run(const Options& given) {
  const Options options = with_paths(given);
  if (options.image.output.empty() && options.image.layout.empty()) {
    throw Error(ErrorKind::usage, "",
                "no output given; use -o OUT.tar for an archive or --layout DIR for a folder");
  }
  ship::ShipRequest block{
      .binary = options.input, .strip = false, .pack = false, .output = "", .image = options.image};
  block.image.env = parse_assignments("--env", options.env);
  block.image.labels = parse_assignments("--label", options.labels);
  block.image.annotations = parse_assignments("--annotation", options.annotations);
  block.image.compression =
      options.compression == "zstd" ? imagegen::Compression::zstd : imagegen::Compression::gzip;
  refuse_mistakes(block);
  refuse_collisions(options);

  StageLog log(options.common.quiet);
  const report::SizeReport report =
      ship::ship_executable(block,
                            {.base = "",
                             .not_static = ErrorKind::refused,
                             .created = ship::source_date_epoch(process_environment()),
                             .step = "",
                             .stop = {},
                             .measure = is_shown(options) && !options.no_weigh},
                            log);
  if (!options.report.empty()) {
    write_file_atomic(options.report,
                      as_bytes(report::render(report, report_format_of_file(options.report))));
  }
  if (options.common.quiet) return 0;
  print_status(options.common.format == "json" ? report::render(report, report::Format::json)
                                               : described(options.image, report),
               {options.image.output, options.report});
  return 0;
}

// A repeatable option that takes one value each time.
CLI::Option* add_list(CLI::App* command, const std::string& name, std::vector<std::string>& values,
                      const std::string& type, const std::string& description) {
  return command->add_option(name, values, description)->type_name(type)->allow_extra_args(false);
}

}  // namespace

void add_image(Program& program) {
  auto options = std::make_shared<Options>();
  ship::ImageRequest& image = options->image;
  CLI::App* command = program.add_command("image", "Put an executable, alone, into an image",
                                          [options] { return run(*options); });
  command->add_option("FILE", options->input, "A static executable, packed or not")->required();
  command
      ->add_option("-o,--output", image.output,
                   "The archive, for `docker load`; - for standard output")
      ->type_name("OUT");
  command->add_option("--layout", image.layout, "An OCI layout folder, created or added to")
      ->type_name("DIR");
  command->add_option("-t,--tag", image.tag, "The image's name (FILE's name:latest)")
      ->type_name("NAME:TAG");
  command->add_option("--name", image.name, "Path of the executable in it (/FILE's name)")
      ->type_name("PATH");
  add_list(command, "--entrypoint", image.entrypoint, "ARG", "What is run (the executable) *");
  program.may_be_empty(add_list(command, "--cmd", image.cmd, "ARG", "Its default arguments *"));
  add_list(command, "-e,--env", options->env, "NAME=VALUE", "An environment variable *");
  command->add_option("--workdir", image.workdir, "The working directory (/)")->type_name("PATH");
  command->add_option("--user", image.user, "Who runs it (65532:65532)")->type_name("UID:GID");
  add_list(command, "--expose", image.expose, "PORT", "A port it listens on: 8080, 53/udp *");
  add_list(command, "-l,--label", options->labels, "NAME=VALUE", "A label *");
  add_list(command, "--annotation", options->annotations, "NAME=VALUE",
           "An annotation of the manifest *");
  add_list(command, "--add", image.add, "SRC:DEST[:MODE[:UID:GID]]",
           "A file (mode 0644), or a folder with all\nthat is in it *");
  add_list(command, "--add-dir", image.add_dir, "PATH[:MODE[:UID:GID]]",
           "A folder (mode 0755), such as /tmp:1777 *");
  command->add_option("--compression", options->compression, "Of the layer: gzip or zstd (gzip)")
      ->type_name("NAME")
      ->check(one_of({"gzip", "zstd"}));
  command
      ->add_option("--report", options->report,
                   "Write a size report: .json, .md, or text; - for\nstandard output")
      ->type_name("FILE");
  add_no_weigh(command, options->no_weigh);
  add_common_options(command, options->common);
  command->footer(
      "Options marked * may be repeated; write --cmd=-v for a value that begins with -.\n"
      "A dynamic executable is refused: an empty image has no loader for it. So is an\n"
      "image that could never start; what else is missing in it is a warning.\n"
      "What is added belongs to root unless UID:GID is given, as numbers.\n\n"
      "Example:\n"
      "  whittle image app.packed -o app.tar -t app:1.0 --expose 8080 \\\n"
      "      --add-dir /data:0750:65532:65532\n"
      "  docker load -i app.tar");
}

}  // namespace whittle::cli
