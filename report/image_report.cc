// SPDX-License-Identifier: MIT
#include "report/image_report.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "common/text.h"
#include "report/text_table.h"

namespace whittle::report {
namespace {

using analyzer::Answer;

// What a script is run by, as its first line says it: "/bin/sh", "/usr/bin/env python3".
std::string interpreter_of(const analyzer::Script& script) {
  if (script.interpreters.empty()) return "an unnamed interpreter";
  const std::string& first = script.interpreters.front();
  // What follows `env` is what it starts; what follows another is what that asks for in turn.
  const bool is_env = first.substr(first.rfind('/') + 1) == "env";
  return is_env && script.interpreters.size() > 1 ? first + " " + script.interpreters.back()
                                                  : first;
}

std::string_view presence(Answer answer) {
  switch (answer) {
    case Answer::yes:
      return "present";
    case Answer::no:
      return "missing";
    case Answer::unknown:
      break;
  }
  return "unknown";
}

Json violations_json(const std::vector<analyzer::Violation>& violations) {
  Json out = Json::array();
  for (const analyzer::Violation& violation : violations) {
    out.push_back({{"rule", violation.rule}, {"reason", violation.reason}});
  }
  return out;
}

Json entrypoint_json(const analyzer::Startup& startup) {
  Json out = {{"program", startup.program}, {"starts", analyzer::name(startup.runs.answer)}};
  const analyzer::Runnable& runs = startup.runs;
  if (!runs.path.empty()) out["path"] = runs.path;
  if (!runs.kind.empty()) out["kind"] = runs.kind;
  if (!runs.interpreters.empty()) out["interpreters"] = runs.interpreters;
  if (!runs.problem.empty()) out["problem"] = runs.problem;
  return out;
}

Json scripts_json(const std::vector<analyzer::Script>& scripts) {
  Json list = Json::array();
  std::size_t missing = 0, unknown = 0;
  for (const analyzer::Script& script : scripts) {
    missing += script.present == Answer::no;
    unknown += script.present == Answer::unknown;
    list.push_back({{"path", script.path},
                    {"interpreters", script.interpreters},
                    {"interpreter", presence(script.present)}});
    if (!script.problem.empty()) list.back()["problem"] = script.problem;
  }
  return {{"count", scripts.size()},
          {"missing_interpreter", missing},
          {"unknown_interpreter", unknown},
          {"list", std::move(list)}};
}

}  // namespace

Json image_json(const analyzer::ImageReport& image) {
  Json out = {{"path", image.path}, {"platform", image.platform}};
  if (!image.digest.empty()) out["digest"] = image.digest;
  out["tags"] = image.tags;
  out["absent"] = image.is_absent;
  if (!image.is_absent) {
    out["verified"] = image.is_verified;
    out["user"] = image.user;
    out["entrypoint"] = entrypoint_json(image.startup);
    out["scripts"] = scripts_json(image.scripts);
    out["contents"] = {{"files", image.files},
                       {"folders", image.folders},
                       {"links", image.links},
                       {"bytes", image.bytes}};
    out["violations"] = violations_json(image.violations);
  }
  out["not_looked_at"] = image.not_looked_at;
  return out;
}

std::string startup_text(const analyzer::ImageReport& image) {
  if (image.is_absent) return "is not there";
  const auto& [program, runs] = image.startup;
  if (program.empty()) return printable(runs.problem);
  switch (runs.answer) {
    case Answer::yes:
      return fmt::format("starts {} ({})", printable(program), runs.kind);
    case Answer::no:
      return fmt::format("does not start: {} {}", printable(program), printable(runs.problem));
    case Answer::unknown:
      break;
  }
  return fmt::format("may not start: {} {}", printable(program), printable(runs.problem));
}

std::vector<std::string> script_lines(const analyzer::ImageReport& image) {
  constexpr std::size_t kNamed = 3;
  std::map<std::pair<std::string_view, std::string>, std::vector<std::string>> groups;
  for (const analyzer::Script& script : image.scripts) {
    groups[{presence(script.present), interpreter_of(script)}].push_back(script.path);
  }
  std::vector<std::string> lines;
  for (const auto& [key, paths] : groups) {
    std::string line = fmt::format("{} for {} ({})", count(paths.size(), "script"),
                                   printable(key.second), key.first);
    // Those that work need no names.
    for (std::size_t i = 0; key.first != "present" && i < paths.size() && i < kNamed; i++) {
      line += (i == 0 ? ": " : ", ") + printable(paths[i]);
    }
    if (key.first != "present" && paths.size() > kNamed) {
      line += fmt::format(" and {} more", paths.size() - kNamed);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace whittle::report
