// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <memory>

#include "analyzer/analyzer.h"
#include "analyzer/policy.h"
#include "cli/app.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "common/error.h"
#include "common/text.h"
#include "config/policy_file.h"
#include "report/audit_report.h"
#include "report/sbom.h"
#include "ship/audit.h"
#include "ship/source_date.h"

namespace whittle::cli {
namespace {

using Files = std::vector<analyzer::AuditedFile>;
using Images = std::vector<analyzer::ImageReport>;

struct Options {
  std::vector<std::string> paths;
  std::string root;
  std::vector<std::string> require;
  std::string policy;
  bool verdict_only = false;
  bool allow_empty = false;
  bool details = false;
  CommonOptions common;
};

using Render = std::string (*)(const Options&, const Files&, const Images&);

const std::vector<std::pair<std::string, Render>>& formats() {
  static const std::vector<std::pair<std::string, Render>> kFormats = {
      {"text",
       [](const Options& options, const Files& files, const Images& images) {
         // Of a single file there is room for everything.
         const bool full = options.details || files.size() == 1;
         return report::audit_text(files, images,
                                   full ? report::Detail::full : report::Detail::brief);
       }},
      {"json", [](const Options&, const Files& files,
                  const Images& images) { return report::audit_json(files, images); }},
      {"sarif",
       [](const Options&, const Files& files, const Images& images) {
         return report::audit_sarif(files, WHITTLE_VERSION, images);
       }},
      {"junit", [](const Options&, const Files& files,
                   const Images& images) { return report::audit_junit(files, images); }},
      {"markdown", [](const Options&, const Files& files,
                      const Images& images) { return report::audit_markdown(files, images); }},
      {"cyclonedx", [](const Options&, const Files& files,
                       const Images&) { return report::cyclonedx(files, WHITTLE_VERSION); }},
      {"spdx", [](const Options&, const Files& files, const Images&) {
         return report::spdx(files, WHITTLE_VERSION,
                             ship::source_date_epoch(process_environment()));
       }}};
  return kFormats;
}

// A file that breaks a rule is a failed check and decides; if there is none, the most serious error
// does.
int status_of(const Files& files, const Images& images) {
  int status = 0;
  for (const auto& image : images) {
    if (!image.violations.empty()) return exit_code(ErrorKind::failed);
  }
  for (const auto& file : files) {
    if (!file.violations.empty()) return exit_code(ErrorKind::failed);
    if (!file.report) status = std::max(status, file.error_exit_code);
  }
  return status;
}

// Whatever the exit status is not 0 for, a line each.
void print_failures(const ship::Audit& audit) {
  const auto print_violations = [](const auto& judged) {
    for (const analyzer::Violation& violation : judged.violations) {
      print_error(printable(judged.path) + ": violates " + violation.rule + ": " +
                  printable(violation.reason));
    }
  };
  for (const auto& image : audit.images) print_violations(image);
  for (const auto& file : audit.files) {
    if (!file.report) print_error(printable(file.path) + ": " + printable(file.error));
    print_violations(file);
  }
}

// Rules that were checked on nothing do not hold: a misspelt folder would meet all of them.
void demand_files(const Options& options, ship::Audit& audit) {
  const bool is_check = !options.require.empty() || !options.policy.empty();
  if (!is_check || options.allow_empty || !audit.files.empty()) return;
  for (const std::string& path : options.paths) {
    analyzer::AuditedFile nothing;
    nothing.path = path;
    nothing.error = "holds no executable: no rule was checked (--allow-empty accepts that)";
    nothing.error_exit_code = exit_code(ErrorKind::failed);
    audit.files.push_back(std::move(nothing));
  }
}

analyzer::Policy policy_of(const Options& options) {
  analyzer::Policy policy;
  if (!options.policy.empty()) config::read_policy(options.policy, policy);
  for (const std::string& rules : options.require) policy.require(rules);
  if (policy.empty()) policy.require_the_usual();
  return policy;
}

bool is_bill_of_materials(const Options& options) {
  return options.common.format == "cyclonedx" || options.common.format == "spdx";
}

int run(const Options& options) {
  const analyzer::Policy policy = policy_of(options);
  ProgressLine progress(options.common.quiet);
  ship::Audit audit = ship::audit({options.paths.begin(), options.paths.end()},
                                  {.root = options.root,
                                   .digests = is_bill_of_materials(options),
                                   .contents = !options.verdict_only,
                                   .progress = [&](std::uint64_t done, std::uint64_t all) {
                                     progress.show("auditing", done, all);
                                   }});
  progress.clear();
  Files& files = audit.files;
  const bool is_all_judged =
      std::all_of(files.begin(), files.end(), [](const auto& file) { return file.report; });
  if (policy.is_about_images() && audit.images.empty() && is_all_judged) {
    throw Error(ErrorKind::usage, "",
                "the requirement `entrypoint` is about images, and no path leads to one");
  }
  analyzer::apply(policy, files);
  analyzer::apply(policy, audit.images);
  demand_files(options, audit);
  if (!options.common.quiet) {
    for (const auto& [name, render] : formats()) {
      if (name == options.common.format) print_result(render(options, files, audit.images));
    }
  }
  // Bills of materials list what files are made of, not what is wrong with them.
  if (options.common.quiet || is_bill_of_materials(options)) print_failures(audit);
  return status_of(files, audit.images);
}

}  // namespace

void add_audit(Program& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_command("audit", "Say which executables are static, and what they need",
                          [options] { return run(*options); });
  command->add_option("PATH", options->paths, "Files, folders, image archives and layouts")
      ->required();
  CLI::Option* require = command
                             ->add_option("--require", options->require,
                                          "Rules each file must meet: nx,no-needs:shell,go>=1.22")
                             ->type_name("RULES")
                             ->allow_extra_args(false);
  CLI::Option* policy = command
                            ->add_option("--policy", options->policy,
                                         "Read the rules from a file: `require: [static, nx]`")
                            ->type_name("FILE");
  CLI::Option* root = command
                          ->add_option("--root", options->root,
                                       "Look for shared libraries with this folder as root")
                          ->type_name("DIR");
  command
      ->add_flag("--verdict-only", options->verdict_only,
                 "Look at headers only: static or not, and why")
      ->excludes(require)
      ->excludes(policy)
      ->excludes(root);
  command->add_flag("--allow-empty", options->allow_empty,
                    "Rules that are checked on no file at all hold");
  command->final_callback([options] {
    if (options->verdict_only && is_bill_of_materials(*options)) {
      throw CLI::ExcludesError("--verdict-only", "--format " + options->common.format);
    }
  });
  command->add_flag("--details", options->details,
                    "Say everything of files in which all is in order, too");
  std::vector<std::string> names;
  for (const auto& format : formats()) names.push_back(format.first);
  add_common_options(command, options->common, names);
  command->footer(
      "Folders are searched without following links; files in them that are not\n"
      "executables are skipped, those named on the command line are reported. Images\n"
      "are read, not unpacked, and checked against their digests. Of a packed program\n"
      "the original is audited. Failures come first.\n\n"
      "needs/NAME is something a program may lack in an image of its own:\n"
      "ca-certificates, gconv, nss, passwd, proc, processes, resolver, shell, tmp,\n"
      "zoneinfo. It shows which code is linked in; only running the program shows\n"
      "whether it is reached. In an image, what the image supplies is no lack.\n"
      "cyclonedx (1.5) and spdx (2.3) list what the files are made of.\n\n"
      "Rules, `static` by default: static static-pie nx relro pie canary fortify ibt\n"
      "shadow-stack bti pac no-writable-code no-rpath stripped no-debug-info no-missing\n"
      "no-needs no-needs:NAME go>=V rust>=V glibc<=V size<=N[K|M|G]; and of images\n"
      "entrypoint (what it runs is there and can start), which is a default, too.\n\n"
      "Exit status: 1 if a file or image breaks a rule or rules are given and there is\n"
      "no file; otherwise that of the most serious error, if some files could not be\n"
      "judged; otherwise 0. What a file does not tell breaks a rule. --quiet prints\n"
      "what breaks rules and what could not be judged, a line each, to standard error.\n\n"
      "Example:\n  whittle audit ./app image.tar --require static,no-needs:shell");
}

}  // namespace whittle::cli
