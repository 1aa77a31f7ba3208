// SPDX-License-Identifier: MIT
#include "flow/preflight.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <system_error>
#include <vector>

#include "common/error.h"
#include "common/host_path.h"
#include "common/outputs.h"
#include "common/text.h"
#include "config/clashes.h"
#include "config/step_order.h"
#include "imagegen/image.h"
#include "ship/added_file.h"
#include "ship/image_mistake.h"

namespace whittle::flow {
namespace {

namespace fs = std::filesystem;
using Use = config::HostPath::Use;

struct Problem {
  ErrorKind kind;
  std::string message;
};

[[noreturn]] void fail(std::string_view file, const config::HostPath& path,
                       const Problem& problem) {
  throw Error(
      problem.kind, config::place(file, path.position),
      fmt::format("`{}` (`{}`) {}", printable(path.key), printable(path.path), problem.message));
}

bool is_output(Use use) {
  return use == Use::executable || use == Use::archive || use == Use::layout;
}

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().native();
  return folder.empty() ? "." : folder;
}

// What has to be there when the path is used, and does not come from the use itself. An artifact's
// folder is made.
std::string needed(const config::HostPath& path) {
  if (is_output(path.use)) return folder_of(path.path);
  return path.use == Use::artifact ? path.source : path.path;
}

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// The first name on the way to `path` that is no folder.
std::optional<std::string> obstacle(const std::string& path, const fs::path& work_dir) {
  fs::path way;
  for (const fs::path& name : fs::path(path)) {
    way /= name;
    if (!is_there(work_dir / way)) return std::nullopt;
    if (!is_folder(work_dir / way)) return way.native();
  }
  return std::nullopt;
}

// What is there and cannot be right.
std::optional<Problem> find_wrong(const config::HostPath& path, const fs::path& work_dir) {
  const auto usage = [](std::string message) { return Problem{ErrorKind::usage, message}; };
  if (path.use == Use::system) {
    if (is_there(path.path)) return std::nullopt;
    return usage("is a file of the system to add, but this system does not have it");
  }
  for (const std::string& name : {path.path, path.source}) {
    if (!name.empty() && !leads_inside(work_dir / name, work_dir)) {
      return Problem{ErrorKind::refused, "leads out of the work directory through a symbolic link"};
    }
  }
  const fs::path there = work_dir / path.path;
  switch (path.use) {
    case Use::system:
      break;  // seen to above
    case Use::dir:
      if (const auto file = obstacle(path.path, work_dir)) {
        return usage(
            fmt::format("is where `run` starts, but `{}` is not a folder", printable(*file)));
      }
      return std::nullopt;
    case Use::binary:
      if (is_folder(there)) return usage("is a folder, but must be an executable");
      return std::nullopt;
    case Use::added:
      return std::nullopt;
    case Use::layout:
      if (is_there(there) && !is_folder(there)) {
        return usage("is a file, but an OCI layout is a folder");
      }
      break;
    case Use::executable:
    case Use::archive:
      if (is_folder(there)) return usage("is a folder, but a file is to be written there");
      break;
    case Use::artifact:
      break;
  }
  if (const auto file = obstacle(folder_of(path.path), work_dir)) {
    return usage(fmt::format("cannot be written: `{}` is not a folder", printable(*file)));
  }
  return std::nullopt;
}

void check_layout(std::string_view file, const config::HostPath& path, const fs::path& work_dir) {
  try {
    imagegen::check_layout_place(work_dir / path.path);
  } catch (const Error& error) {
    fail(file, path, {error.kind(), error.message()});
  }
}

// `why` is what to say of the file that is not there.
std::string missing(const config::HostPath& path, std::string_view why) {
  switch (path.use) {
    case Use::dir:
      return fmt::format("is the folder that `run` starts in, but {}", why);
    case Use::binary:
      return fmt::format("is the binary to ship, but {}", why);
    case Use::added:
      return fmt::format("is to be added, but {}", why);
    case Use::artifact:
      return fmt::format("is made from `{}`, but {}", printable(path.source), why);
    case Use::executable:
    case Use::layout:
    case Use::archive:
    case Use::system:
      break;
  }
  return fmt::format("cannot be written: the folder `{}` is missing, and {}",
                     printable(folder_of(path.path)), why);
}

// What a step says that it makes, by path; nothing for a path that it names more than once.
using Made = std::map<std::string, const config::HostPath*>;

void add(Made& made, const std::string& path, const config::HostPath* by) {
  const auto [at, is_new] = made.emplace(path, by);
  if (!is_new) at->second = nullptr;
}

// Whether the path, a folder around it or something in it is made by another one than `except`.
bool is_made(const Made& made, const std::string& path, const config::HostPath* except) {
  for (std::size_t end = path.size(); end != path.npos && end > 0; end = path.rfind('/', end - 1)) {
    const auto at = made.find(path.substr(0, end));
    if (at != made.end() && at->second != except) return true;
  }
  const std::string folder = path + "/";
  for (auto at = made.lower_bound(folder); at != made.end() && at->first.starts_with(folder);
       at++) {
    if (at->second != except) return true;
  }
  return false;
}

// Whether the name stands in the text, and not as a part of a longer one.
bool has_name(std::string_view text, std::string_view name) {
  const auto is_part = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  };
  for (std::size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !is_part(text[at - 1])) && (end == text.size() || !is_part(text[end]))) {
      return true;
    }
  }
  return false;
}

class Preflight {
 public:
  Preflight(const Plan& plan, const fs::path& work_dir, ship::Observer& observer)
      : file_(plan.path),
        work_dir_(work_dir),
        observer_(observer),
        steps_(steps_of(plan)),
        order_(steps_) {
    for (const config::Step& step : steps_) {
      Made &in_time = in_time_.emplace_back(), &at_end = at_end_.emplace_back();
      for (const config::HostPath& path : step.paths) {
        if (is_output(path.use)) add(at_end, path.path, &path);
        if (path.use == Use::artifact) add(in_time, path.path, &path);
        if (step.run.empty()) continue;
        if (path.use == Use::binary) add(in_time, path.path, &path);
        if (path.use == Use::artifact && path.source != path.path) {
          add(in_time, path.source, &path);
        }
      }
    }
  }

  void check() {
    config::refuse_clashes(file_, steps_, [&](const std::string& path) {
      std::error_code error;
      const fs::path real = fs::weakly_canonical(work_dir_ / path, error);
      return error ? path : real.native();
    });
    for (std::size_t i = 0; i < steps_.size(); i++) {
      for (const config::HostPath& path : steps_[i].paths) check(i, path);
      check_image(i);
    }
  }

 private:
  static std::vector<config::Step> steps_of(const Plan& plan) {
    std::vector<config::Step> steps;
    for (const PlannedStep& planned : plan.steps) steps.push_back(planned.step);
    return steps;
  }

  void check(std::size_t step, const config::HostPath& path) const {
    if (is_output(path.use) || path.use == Use::artifact) {
      if (same_place(file_, work_dir_ / path.path)) {
        fail(file_, path, {ErrorKind::usage, "is the build file, which would be overwritten"});
      }
    }
    if (const auto problem = find_wrong(path, work_dir_)) fail(file_, path, *problem);
    const bool may_change = has_run(step, path);
    if (path.use == Use::layout && !may_change) check_layout(file_, path, work_dir_);
    const std::string wanted = needed(path);
    if (wanted.empty() || is_there(work_dir_ / wanted)) return;
    // A step's own command makes its binary and its artifacts.
    const bool is_product = path.use == Use::binary || path.use == Use::artifact;
    if (is_product && !steps_[step].run.empty()) return;
    if (is_announced(step, path, wanted)) return;
    if (!may_change || is_output(path.use)) {
      fail(file_, path, {ErrorKind::usage, missing(path, "nothing says that a step makes it")});
    }
    const std::string text =
        fmt::format("{}: `{}` (`{}`) is not there yet, and nothing says that a step makes it",
                    config::place(file_, path.position), printable(path.key), printable(wanted));
    observer_.on({steps_[step].label, ship::event::Warning{text}});
  }

  // Whether a source is a file or a folder shows here, where nothing changes it before it is used.
  void check_image(std::size_t step) const {
    if (!steps_[step].ship) return;
    const std::vector<config::HostPath>& paths = steps_[step].paths;
    const auto mistake =
        ship::find_image_mistake(*steps_[step].ship, [&](const std::string& source) {
          const config::HostPath path{.use = Use::added, .path = normal_inner_path(source)};
          if (ship::is_system_file(source) || has_run(step, path) ||
              !is_there(work_dir_ / source)) {
            return ship::SourceKind::unknown;
          }
          return is_folder(work_dir_ / source) ? ship::SourceKind::folder : ship::SourceKind::file;
        });
    if (!mistake) return;
    const std::string key = fmt::format(".image.{}[{}]", mistake->key, mistake->item.value_or(0));
    const auto at = std::find_if(paths.begin(), paths.end(), [&](const config::HostPath& path) {
      return path.key.ends_with(key);
    });
    const config::Position position = at == paths.end() ? steps_[step].position : at->position;
    throw Error(ErrorKind::usage, config::place(file_, position),
                fmt::format("`{}` is wrong: {}", printable(at == paths.end() ? key : at->key),
                            mistake->message));
  }

  // Calls `action` with the indices of the steps of which the commands are done before the path is
  // used, until one of the calls returns true.
  template <typename Action>
  bool any_before(std::size_t step, const config::HostPath& path, Action action) const {
    for (std::size_t other = 0; other < steps_.size(); other++) {
      const bool own = other == step;
      if (own ? path.use == Use::dir : !order_.is_after(step, other)) continue;
      if (action(other)) return true;
    }
    return false;
  }

  bool has_run(std::size_t step, const config::HostPath& path) const {
    return any_before(step, path, [&](std::size_t other) { return !steps_[other].run.empty(); });
  }

  bool is_announced(std::size_t step, const config::HostPath& path,
                    const std::string& wanted) const {
    const std::vector<std::string> names = missing_names(wanted);
    return any_before(step, path, [&](std::size_t other) {
      return std::any_of(
                 names.begin(), names.end(),
                 [&](const std::string& name) { return has_name(steps_[other].run, name); }) ||
             is_made(in_time_[other], wanted, &path) ||
             (other != step && is_made(at_end_[other], wanted, &path));
    });
  }

  // "out/images", of which there is "out": "images".
  std::vector<std::string> missing_names(const std::string& path) const {
    std::vector<std::string> names;
    fs::path way;
    for (const fs::path& name : fs::path(path)) {
      way /= name;
      if (!is_there(work_dir_ / way)) names.push_back(name.native());
    }
    return names;
  }

  const std::string& file_;
  const fs::path& work_dir_;
  ship::Observer& observer_;
  const std::vector<config::Step> steps_;
  const config::StepOrder order_;
  std::vector<Made> in_time_;  // of each step: for what it ships, and for later steps
  std::vector<Made> at_end_;   // what it ships: for later steps only
};

}  // namespace

void check_host_paths(const Plan& plan, const fs::path& work_dir, ship::Observer& observer) {
  Preflight(plan, work_dir, observer).check();
}

void check_shipped_paths(const config::Step& step, std::string_view file,
                         const fs::path& work_dir) {
  for (const config::HostPath& path : step.paths) {
    if (path.use == Use::dir || path.use == Use::artifact) continue;
    if (const auto problem = find_wrong(path, work_dir)) fail(file, path, *problem);
    if (!is_there(work_dir / needed(path))) {
      fail(file, path, {ErrorKind::failed, missing(path, "the step did not create it")});
    }
    if (path.use == Use::layout) check_layout(file, path, work_dir);
  }
}

}  // namespace whittle::flow
