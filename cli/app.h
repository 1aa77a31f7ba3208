// SPDX-License-Identifier: MIT
//
// The command line's frame. Each command is one file that adds a CLI11 subcommand and says what to
// do when it is chosen; parsing and doing are apart, so that a command line is known to be right
// before anything happens.
//
// The contract of every command: the result goes to standard output, everything else to standard
// error; `--quiet` leaves errors only; the exit status is that of common/error.h.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace whittle::cli {

// Does the command's work and returns the exit status. Throws whittle::Error.
using Action = std::function<int()>;

// The program and its commands' actions.
class Program {
 public:
  Program();

  // Returns the new command's CLI11 object; `action` runs once the command line is parsed.
  CLI::App* add_command(const std::string& name, const std::string& description, Action action);

  // Allows an empty value for this option. All others refuse it: in a script, an empty value comes
  // from a variable that is not set.
  void may_be_empty(const CLI::Option* option) { may_be_empty_.insert(option); }

  // Parses, then runs the chosen command. Wrong use gets a message, a hint and exit status 2.
  int run(int argc, const char* const* argv);

 private:
  void add_help();
  int explain(const CLI::ParseError& error);
  int refuse(const std::string& message);
  std::string find_empty() const;
  int print_help(const std::string& command);

  CLI::App app_;
  std::map<const CLI::App*, Action> actions_;
  std::set<const CLI::Option*> may_be_empty_;
};

// Options that several commands share.
struct CommonOptions {
  std::string format = "text";
  bool quiet = false;
};
void add_common_options(CLI::App* command, CommonOptions& options,
                        const std::vector<std::string>& formats = {"text", "json"});

// `--no-weigh`, for commands with a size report.
void add_no_weigh(CLI::App* command, bool& no_weigh);

// A check for options whose values are words: "`tiny` is not one of fast, small, auto".
CLI::Validator one_of(std::vector<std::string> words);

// The same for numbers: "`x` is not a number from 1 to 256".
CLI::Validator number_from(unsigned least, unsigned most);

// A command that looks at one file and writes none.
struct FileOptions {
  std::string input;
  CommonOptions common;
};
// `file` says what FILE may be. Returns the command for its footer.
CLI::App* add_file_command(Program& program, const std::string& name,
                           const std::string& description, const std::string& file,
                           std::function<int(const FileOptions&)> run);

// One file a command.
void add_audit(Program& program);
void add_strip(Program& program);
void add_pack(Program& program);
void add_unpack(Program& program);
void add_inspect(Program& program);
void add_report(Program& program);
void add_verify(Program& program);
void add_image(Program& program);
void add_build(Program& program);

}  // namespace whittle::cli
