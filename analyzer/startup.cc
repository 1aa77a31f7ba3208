// SPDX-License-Identifier: MIT
//
// The order is that of runc and the kernel: the user is looked up, the program is (by PATH if its
// name has no slash), then execve follows links, asks for permission, and looks at the first bytes.
// "No" means that it fails for certain. Where engines mount something (/proc, /sys, /dev), and
// where a part of the image was not read, the answer is "unknown".
//
// Sources: runc, libcontainer/standard_init_linux.go; moby, daemon/oci_linux.go (the default PATH);
// execve(2), path_resolution(7).
#include "analyzer/startup.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace whittle::analyzer {
namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::uint64_t kMaxDatabase = 1 << 20;  // bytes
constexpr std::size_t kMaxLookups = 2'000'000;   // of programs, in folders of PATH
constexpr std::size_t kLongestPath = 4096;       // bytes, as Linux has it
constexpr int kMaxInterpreters = 5;              // one after the other, as Linux has it
constexpr std::uint32_t kExecute = 1, kWrite = 2, kRead = 4;

bool is_mounted_by_engines(std::string_view path) {
  for (const std::string_view top : {"/proc", "/sys", "/dev"}) {
    if (path == top || (path.starts_with(top) && path[top.size()] == '/')) return true;
  }
  return false;
}

struct Database {
  std::optional<std::string> text;  // nothing if the file is missing or unknown
  bool is_unknown = false;          // the file exists, but its content was not kept
};

Database read_database(const FileTree& tree, std::string_view path) {
  const auto found = resolve(tree, path);
  if (!found || !found->entry.is_file()) return {};
  const auto bytes = tree.read(found->path, kMaxDatabase);
  if (!bytes) return {std::nullopt, true};
  return {std::string(as_text(*bytes)), false};
}

}  // namespace

std::string_view name(Answer answer) {
  switch (answer) {
    case Answer::yes:
      return "yes";
    case Answer::no:
      return "no";
    case Answer::unknown:
      break;
  }
  return "unknown";
}

StartCheck::StartCheck(const FileTree& tree, const RunConfig& config,
                       MachineProblem machine_problem)
    : tree_(tree),
      config_(config),
      machine_problem_(std::move(machine_problem)),
      finder_(tree, library_path(), [this](const ResolvedPath& file) {
        return !identity_.problem.empty() || may_read(file);
      }) {
  const Database passwd = read_database(tree, "/etc/passwd");
  const Database group = read_database(tree, "/etc/group");
  identity_ = find_identity(config.user, passwd.text, group.text);
  is_user_unknown_ = !identity_.problem.empty() && (passwd.is_unknown || group.is_unknown);
}

std::optional<std::string> StartCheck::variable(std::string_view name) const {
  std::optional<std::string> value;
  for (const std::string& one : config_.env) {  // the last one counts
    if (one.size() > name.size() && one.starts_with(name) && one[name.size()] == '=') {
      value = one.substr(name.size() + 1);
    }
  }
  return value;
}

// The folders of LD_LIBRARY_PATH; an empty one is the working directory.
std::vector<std::string> StartCheck::library_path() const {
  std::vector<std::string> folders;
  const std::string value = variable("LD_LIBRARY_PATH").value_or("");
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t end = std::min(value.find_first_of(":;", at), value.size());
    folders.push_back(absolute(value.substr(at, end - at)));
    at = end + 1;
  }
  return folders;
}

std::string StartCheck::absolute(const std::string& path) const {
  if (path.starts_with('/')) return path;
  return (config_.working_dir.empty() ? "/" : config_.working_dir) + "/" + path;
}

std::string StartCheck::user_text() const {
  return config_.user.empty() ? "root" : printable(config_.user);
}

bool StartCheck::may(const TreeEntry& entry, std::uint32_t bit) const {
  // Root passes every check except that a file to execute needs some execute bit.
  if (identity_.user == 0) {
    return bit != kExecute || entry.is_folder() || (entry.mode & 0111) != 0;
  }
  if (entry.owner == identity_.user) return (entry.mode >> 6 & bit) != 0;
  const auto& groups = identity_.groups;
  if (entry.group == identity_.group ||
      std::find(groups.begin(), groups.end(), entry.group) != groups.end()) {
    return (entry.mode >> 3 & bit) != 0;
  }
  return (entry.mode & bit) != 0;
}

bool StartCheck::may_reach(const ResolvedPath& found) const {
  return identity_.problem.empty() &&
         std::all_of(found.folders.begin(), found.folders.end(), [&](const std::string& folder) {
           const auto entry = tree_.find(folder);
           return entry && may(*entry, kExecute);
         });
}

bool StartCheck::may_read(const ResolvedPath& file) const {
  return may_reach(file) && may(file.entry, kRead);
}

bool StartCheck::may_enter(const ResolvedPath& folder) const {
  return may_reach(folder) && may(folder.entry, kExecute);
}

bool StartCheck::may_write(const ResolvedPath& folder) const {
  return may_enter(folder) && may(folder.entry, kWrite);
}

// Why the user may not execute a file; empty where he may.
std::string StartCheck::problem_of_access(const ResolvedPath& found) const {
  for (const std::string& folder : found.folders) {
    const auto entry = tree_.find(folder);
    if (entry && !may(*entry, kExecute)) {
      return fmt::format("is in the folder {}, whose mode is {:04o}: user {} may not enter it",
                         printable(folder), entry->mode, user_text());
    }
  }
  const TreeEntry& entry = found.entry;
  if ((entry.mode & 0111) == 0) {
    return fmt::format("has the mode {:04o}: nobody may execute it", entry.mode);
  }
  if (!may(entry, kExecute)) {
    return fmt::format("has the mode {:04o} and belongs to {}:{}: user {} may not execute it",
                       entry.mode, entry.owner, entry.group, user_text());
  }
  return {};
}

const std::vector<std::string>& StartCheck::path_folders() {
  if (path_folders_) return *path_folders_;
  path_folders_.emplace();
  const std::string folders = variable("PATH").value_or(std::string(kDefaultPath));
  for (std::size_t at = 0; at <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', at), folders.size());
    const std::string folder = folders.substr(at, end - at);
    at = end + 1;
    if (!folder.starts_with('/')) continue;  // Go's exec.LookPath takes no result from it
    const auto found = resolve(tree_, folder);
    if (found && found->entry.is_folder()) path_folders_->push_back(folder);
  }
  return *path_folders_;
}

std::optional<std::string> StartCheck::look_for(const std::string& name) {
  for (const std::string& folder : path_folders()) {
    if (++lookups_ > kMaxLookups) break;
    const auto found = resolve(tree_, folder + "/" + name);
    if (found && found->entry.is_file() && problem_of_access(*found).empty()) {
      return folder + "/" + name;
    }
  }
  return std::nullopt;
}

std::optional<std::string> StartCheck::look_up(const std::string& name) {
  const auto known = looked_up_.find(name);
  if (known != looked_up_.end()) return known->second;
  return looked_up_.emplace(name, look_for(name)).first->second;
}

// Engines make a working directory that is missing, but not below a file.
std::string StartCheck::problem_of_working_dir() const {
  std::string path = config_.working_dir;
  if (path.size() > kLongestPath) return {};
  for (; !path.empty(); path.erase(path.rfind('/'))) {
    while (path.ends_with('/')) path.pop_back();
    const auto found = resolve(tree_, path);
    if (found && found->entry.is_folder()) return {};
    if (found) {
      return fmt::format("is started in {}, but {} is no folder", printable(config_.working_dir),
                         printable(path));
    }
    if (path.find('/') == std::string::npos) return {};
  }
  return {};
}

Startup StartCheck::startup() {
  std::vector<std::string> arguments = config_.entrypoint;
  arguments.insert(arguments.end(), config_.cmd.begin(), config_.cmd.end());
  Startup out;
  if (arguments.empty() || arguments.front().empty()) {
    out.runs.answer = Answer::no;
    out.runs.problem = "names nothing to run: entrypoint and cmd are empty";
    return out;
  }
  out.program = arguments.front();
  if (!identity_.problem.empty()) {
    out.runs.answer = is_user_unknown_ ? Answer::unknown : Answer::no;
    out.runs.problem =
        is_user_unknown_
            ? fmt::format("is run by {}, and the image's list of users could not be read",
                          user_text())
            : fmt::format("is run by {}, but the image {}", user_text(), identity_.problem);
    return out;
  }
  if (std::string problem = problem_of_working_dir(); !problem.empty()) {
    out.runs.answer = Answer::no;
    out.runs.problem = std::move(problem);
    return out;
  }
  std::string path = out.program;
  if (path.find('/') == std::string::npos) {
    const auto found = look_up(path);
    if (!found) {
      out.runs.answer = Answer::no;
      out.runs.problem =
          fmt::format("is in no folder of PATH ({}) as a file that {} may execute",
                      printable(variable("PATH").value_or(std::string(kDefaultPath))), user_text());
      return out;
    }
    path = *found;
  }
  out.runs = run(path);
  return out;
}

Runnable StartCheck::run(const std::string& path) { return examine_known(absolute(path), 0); }

Runnable StartCheck::examine(const std::string& path, int depth) {
  Runnable out;
  const auto found = resolve(tree_, path);
  if (!found) {
    out.answer = is_mounted_by_engines(path) ? Answer::unknown : Answer::no;
    out.problem = out.answer == Answer::no ? "is not in the image"
                                           : "is not in the image, unless the engine mounts it";
    return out;
  }
  out.path = found->path;
  out.answer = Answer::no;
  if (found->entry.is_folder()) {
    out.problem = "is a folder";
  } else if (!found->entry.is_file()) {
    out.problem = "is no regular file";
  } else {
    out.problem = problem_of_access(*found);
  }
  if (!out.problem.empty()) return out;
  if (const auto object = tree_.object(out.path)) return examine_program(*object, std::move(out));
  out = examine_script(std::move(out), depth);
  // The kernel runs it all the same; it is the interpreter that opens the file.
  if (out.kind == "script" && out.answer == Answer::yes && !may_read(*found)) {
    out.answer = Answer::no;
    out.problem = fmt::format("is a script that user {} may not read", user_text());
  }
  return out;
}

Runnable StartCheck::interpret(const std::string& path) {
  Runnable script;
  script.path = path;
  script.answer = Answer::no;
  return examine_script(std::move(script), 0);
}

// Cached: thousands of scripts ask for the same interpreter, and programs for the same shell.
Runnable StartCheck::examine_known(const std::string& path, int depth) {
  const std::pair key(path, depth);
  const auto at = known_.find(key);
  return at != known_.end() ? at->second
                            : known_.try_emplace(key, examine(path, depth)).first->second;
}

Runnable StartCheck::examine_program(const LinkedObject& object, Runnable out) {
  if (object.type != elf::kTypeExec && object.type != elf::kTypeDyn) {
    out.problem = "is an object file or a core dump, not a program";
    return out;
  }
  out.kind = object.interpreter.empty() && object.needed.empty() ? "static" : "dynamic";
  if (machine_problem_) out.problem = machine_problem_(object);
  if (!out.problem.empty()) return out;
  if (object.interpreter.empty()) {
    // The kernel starts it without loading anything.
    out.answer = object.needed.empty() ? Answer::yes : Answer::unknown;
    if (out.answer == Answer::unknown) {
      out.problem = "needs shared libraries, but asks for no interpreter to load them";
    }
    return out;
  }
  out.interpreters.push_back(object.interpreter);
  const LibraryTree libraries = finder_.find(object, out.path);
  if (!libraries.missing.empty()) {
    out.problem = fmt::format("misses {}", fmt::join(libraries.missing, ", "));
    if (!libraries.passed_over.empty()) {
      out.problem += fmt::format(" (user {} may not read {})", user_text(),
                                 fmt::join(libraries.passed_over, ", "));
    }
    return out;
  }
  if (const auto loader = resolve(tree_, object.interpreter)) {
    const std::string problem = problem_of_access(*loader);
    if (!problem.empty()) {
      out.problem = fmt::format("asks for {}, which {}", printable(object.interpreter), problem);
      return out;
    }
  }
  out.answer = Answer::yes;
  return out;
}

Runnable StartCheck::examine_script(Runnable out, int depth) {
  const auto magic = tree_.read(out.path, 4);
  if (!magic || elf::has_magic(*magic)) {
    out.answer = Answer::unknown;
    out.problem = magic ? "is an ELF file that is damaged or was not read" : "was not read";
    return out;
  }
  if (!as_text(*magic).starts_with("#!")) {
    out.problem = "is neither an ELF file nor a script that names its interpreter";
    return out;
  }
  out.kind = "script";
  const auto start = tree_.read(out.path, kScriptLine);
  const auto line = start ? parse_script_line(*start) : std::nullopt;
  if (!line) {
    out.answer = Answer::unknown;
    out.problem = "was not read";
    return out;
  }
  if (line->interpreter.empty()) {
    out.problem = "is a script whose first line names no interpreter";
    return out;
  }
  if (depth >= kMaxInterpreters) {
    out.problem = "is a script of scripts, more deeply than Linux follows them";
    return out;
  }
  const Runnable interpreter = examine_known(absolute(line->interpreter), depth + 1);
  out.interpreters.push_back(line->interpreter);
  out.interpreters.insert(out.interpreters.end(), interpreter.interpreters.begin(),
                          interpreter.interpreters.end());
  out.answer = interpreter.answer;
  const auto program = program_of_env(*line);
  if (program && !program->empty()) out.interpreters.push_back(*program);
  if (out.answer != Answer::yes) {
    out.problem =
        fmt::format("asks for {}, which {}", printable(line->interpreter), interpreter.problem);
  } else if (!program) {
    out.answer = Answer::unknown;
    out.problem = fmt::format("asks for {} {}, of which it is not known what it starts",
                              printable(line->interpreter), printable(line->argument));
  } else if (!program->empty()) {
    look_for_program_of_env(*program, *line, depth, out);
  }
  return out;
}

void StartCheck::look_for_program_of_env(const std::string& program, const ScriptLine& line,
                                         int depth, Runnable& out) {
  const std::string asks =
      fmt::format("asks {} for {}, which ", printable(line.interpreter), printable(program));
  const bool is_path = program.find('/') != std::string::npos;
  const auto found = is_path ? std::optional(absolute(program)) : look_up(program);
  if (!found) {
    out.answer = Answer::no;
    out.problem = asks + "is in no folder of PATH";
    return;
  }
  const Runnable runs = examine_known(*found, depth + 1);
  out.answer = runs.answer;
  if (runs.answer != Answer::yes) out.problem = asks + runs.problem;
}

}  // namespace whittle::analyzer
