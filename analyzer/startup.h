// SPDX-License-Identifier: MIT
//
// Whether a container can start: the program that its config names must be in the image, the user
// must be allowed to execute it, and the image must have what it asks for in turn: the dynamic
// loader and libraries, or the interpreter of a script. Nothing is run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyzer/libraries.h"
#include "analyzer/script_line.h"
#include "common/file_tree.h"
#include "common/run_config.h"
#include "common/user_database.h"

namespace whittle::analyzer {

enum class Answer : std::uint8_t { yes, no, unknown };
std::string_view name(Answer answer);  // "yes", "no", "unknown"

// What becomes of an attempt to run a file.
struct Runnable {
  Answer answer = Answer::unknown;
  std::string path;                       // of the file, without links; empty if it is missing
  std::string kind;                       // "static", "dynamic", "script"; empty where unknown
  std::vector<std::string> interpreters;  // of scripts and dynamic programs, the first one first
  std::string problem;                    // unless the answer is yes: "is not in the image"
};

struct Startup {
  std::string program;  // as the config names it; empty where it names nothing to run
  Runnable runs;
};

class StartCheck {
 public:
  // Why a program does not run on the image's platform; empty if it does.
  using MachineProblem = std::function<std::string(const LinkedObject&)>;

  // The tree and the config have to outlive it, and the tree must not change. Not thread-safe.
  StartCheck(const FileTree& tree, const RunConfig& config, MachineProblem machine_problem = {});

  // What entrypoint and cmd name.
  Startup startup();

  // A file of the tree, as the config's user in its working directory.
  Runnable run(const std::string& path);

  // Whether the image has the interpreters of a script. Permissions of the script itself do not
  // matter here.
  Runnable interpret(const std::string& path);

  // The path of a program that PATH leads to; nothing if no folder of PATH has one that the user
  // may execute.
  std::optional<std::string> look_up(const std::string& name);

  // Whether the config's user may read the file, or enter or write into the folder. False if the
  // user is a name that cannot be looked up.
  bool may_read(const ResolvedPath& file) const;
  bool may_enter(const ResolvedPath& folder) const;
  bool may_write(const ResolvedPath& folder) const;

  // A variable of the config's environment; nothing where it is not set.
  std::optional<std::string> variable(std::string_view name) const;

  // Where a shared library or interpreter of a program is, by the loader's rules.
  LibraryTree libraries(const LinkedObject& program, const std::string& path) {
    return finder_.find(program, path);
  }

 private:
  Runnable examine(const std::string& path, int depth);
  Runnable examine_known(const std::string& path, int depth);
  Runnable examine_program(const LinkedObject& object, Runnable out);
  Runnable examine_script(Runnable out, int depth);
  void look_for_program_of_env(const std::string& program, const ScriptLine& line, int depth,
                               Runnable& out);
  std::string problem_of_access(const ResolvedPath& found) const;
  std::string problem_of_working_dir() const;
  bool may(const TreeEntry& entry, std::uint32_t bit) const;
  bool may_reach(const ResolvedPath& found) const;
  std::string absolute(const std::string& path) const;
  const std::vector<std::string>& path_folders();
  std::optional<std::string> look_for(const std::string& name);
  std::vector<std::string> library_path() const;
  std::string user_text() const;

  const FileTree& tree_;
  const RunConfig& config_;
  MachineProblem machine_problem_;
  LibraryFinder finder_;
  Identity identity_;
  bool is_user_unknown_ = false;  // the image has a user database whose content is unknown
  std::map<std::pair<std::string, int>, Runnable> known_;        // by path and depth
  std::optional<std::vector<std::string>> path_folders_;         // those of PATH that are there
  std::map<std::string, std::optional<std::string>> looked_up_;  // by name
  std::size_t lookups_ = 0;                                      // in folders of PATH
};

}  // namespace whittle::analyzer
