// SPDX-License-Identifier: MIT
#include "ship/image_contents.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "analyzer/image_report.h"
#include "analyzer/startup.h"
#include "analyzer/supply.h"
#include "common/text.h"
#include "imagegen/root_tree.h"
#include "report/image_report.h"
#include "ship/image_platform.h"

namespace whittle::ship {
namespace {

using analyzer::Answer;

bool is_script(const FileTree& tree, const std::string& path) {
  const auto start = tree.read(path, 2);
  return start && as_text(*start) == "#!";
}

// Whether the image has a program beside the one that it is for.
bool has_other_programs(const imagegen::RootTree& tree, const std::string& own) {
  const auto files = tree.files();
  return std::any_of(files.begin(), files.end(), [&](const std::string& path) {
    return path != own && (tree.find(path)->mode & 0111) != 0;
  });
}

std::string need_text(const analyzer::Need& need) {
  return fmt::format(
      "the program needs {} ({} {}), which the image does not have: {}. To supply it: {}",
      need.title, need.evidence.at(0).kind, need.evidence.at(0).name, need.breaks, need.supply);
}

}  // namespace

ContentProblems find_content_problems(const imagegen::ImageSpec& spec,
                                      const std::vector<analyzer::Need>& needs) {
  ContentProblems out;
  const imagegen::RootTree tree(spec);
  const RunConfig run{.entrypoint = spec.entrypoint,
                      .cmd = spec.cmd,
                      .env = spec.env,
                      .working_dir = spec.working_dir,
                      .user = spec.user};
  analyzer::StartCheck check(tree, run, [&](const LinkedObject& object) {
    return problem_of_machine(object, "linux/" + spec.architecture);
  });

  const analyzer::Startup startup = check.startup();
  const std::string problem = startup.program.empty()
                                  ? "the image " + startup.runs.problem
                                  : fmt::format("the program to run, {}, {}",
                                                printable(startup.program), startup.runs.problem);
  if (startup.runs.answer == Answer::no) out.fatal = problem;
  if (startup.runs.answer == Answer::unknown) out.warnings.push_back(problem);

  analyzer::ImageReport report;
  for (const std::string& path : tree.files()) {
    if (is_script(tree, path)) {
      const analyzer::Runnable runs = check.interpret(path);
      if (runs.answer == Answer::yes) continue;
      report.scripts.push_back({path, runs.interpreters, runs.answer, runs.problem});
    } else if (const auto object = tree.object(path)) {
      std::string lacks = problem_of_machine(*object, "linux/" + spec.architecture);
      const auto missing = object->interpreter.empty() ? std::vector<std::string>()
                                                       : check.libraries(*object, path).missing;
      if (lacks.empty() && !missing.empty()) {
        lacks = fmt::format("is a dynamic program and misses {}", fmt::join(missing, ", "));
      }
      if (!lacks.empty()) out.warnings.push_back(printable(path) + " " + lacks);
    }
  }
  for (const std::string& line : report::script_lines(report)) {
    out.warnings.push_back("in the image, " + line);
  }

  analyzer::BinaryReport binary;
  binary.needs = needs;
  analyzer::mark_supplied(tree, check, binary);
  const bool has_others = has_other_programs(tree, imagegen::normalise_path(spec.files.at(0).path));
  for (const analyzer::Need& need : binary.needs) {
    if (need.confidence != "high" || !need.supplied_by.empty()) continue;
    // Which programs it starts is not known: one that was added may be the one.
    if (need.id == "needs/processes" && has_others) continue;
    out.warnings.push_back(need_text(need));
  }
  return out;
}

}  // namespace whittle::ship
