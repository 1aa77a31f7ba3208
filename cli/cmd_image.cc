// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <map>
#include <memory>
#include <variant>

#include "cli/app.h"
#include "cli/output.h"
#include "cli/stage_log.h"
#include "cli/values.h"
#include "common/error.h"
#include "common/file.h"
#include "common/outputs.h"
#include "common/overloaded.h"
#include "common/text.h"
#include "ship/added_file.h"
#include "ship/image_mistake.h"
#include "ship/image_options.h"
#include "ship/ship.h"
#include "ship/source_date.h"

namespace whittle::cli {
namespace {

struct Options {
  ship::ImageRequest image;
  std::string input, report, compression = "gzip";
  std::map<std::string_view, std::vector<std::string>> assignments;  // "NAME=VALUE", by key
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
  const ship::ImageOption* known = ship::image_option(mistake->key);
  const std::string option = known == nullptr ? block.binary : std::string(known->long_flag());
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
  for (const ship::ImageOption& option : ship::kImageOptions) {
    const auto given_texts = options.assignments.find(option.key);
    if (given_texts == options.assignments.end()) continue;
    block.image.*std::get<ship::Assignments ship::ImageRequest::*>(option.member) =
        parse_assignments(option.long_flag(), given_texts->second);
  }
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

// The options of the table, in its order.
void add_image_options(Program& program, CLI::App* command, Options& options) {
  for (const ship::ImageOption& option : ship::kImageOptions) {
    const std::string flags(option.flags), help(option.help);
    // A list takes one value each time.
    const auto add_list = [&](std::vector<std::string>& values) {
      return command->add_option(flags, values, help)->allow_extra_args(false);
    };
    CLI::Option* added =
        std::visit(Overloaded{
                       [&](std::string ship::ImageRequest::*member) {
                         return command->add_option(flags, options.image.*member, help);
                       },
                       [&](std::vector<std::string> ship::ImageRequest::*member) {
                         return add_list(options.image.*member);
                       },
                       [&](ship::Assignments ship::ImageRequest::*) {
                         return add_list(options.assignments[option.key]);
                       },
                       [&](imagegen::Compression ship::ImageRequest::*) {
                         return command->add_option(flags, options.compression, help)
                             ->check(one_of({"gzip", "zstd"}));
                       },
                   },
                   option.member);
    added->type_name(std::string(option.type));
    if (option.may_be_empty) program.may_be_empty(added);
  }
}

}  // namespace

void add_image(Program& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_command("image", "Put an executable, alone, into an image",
                                          [options] { return run(*options); });
  command->add_option("FILE", options->input, "A static executable, packed or not")->required();
  add_image_options(program, command, *options);
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
