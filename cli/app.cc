// SPDX-License-Identifier: MIT
#include "cli/app.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <vector>

#include "cli/output.h"
#include "cli/version.h"
#include "common/error.h"
#include "common/suggest.h"
#include "common/text.h"

namespace whittle::cli {
namespace {

constexpr std::size_t kColumn = 27;  // where descriptions begin in help texts

class Formatter : public CLI::Formatter {
 public:
  Formatter() {
    column_width(kColumn);
    label("Positionals", "Arguments");
  }

  // CLI11 adds types and defaults in its own notation; the descriptions say what matters.
  std::string make_option_opts(const CLI::Option* option) const override {
    const bool has_type = !option->get_positional() && !option->get_type_name().empty();
    return has_type ? " " + option->get_type_name() : "";
  }
  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string usage = "\nUsage: " + (name.empty() ? app->get_name() : name);
    for (const CLI::Option* option : app->get_options(
             [](const CLI::Option* candidate) { return candidate->get_positional(); })) {
      const bool many = option->get_expected_max() > 1;
      const std::string text = option->get_name(true) + (many ? "..." : "");
      usage += option->get_required() ? " " + text : " [" + text + "]";
    }
    usage += app->get_subcommands({}).empty() ? " [OPTION]..." : " COMMAND [OPTION]...";
    return usage + "\n";
  }
};

std::vector<std::string> long_options(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

}  // namespace

Program::Program()
    : app_(
          "Ships a static executable in the smallest, soundest container image that\n"
          "runs it: audits, strips and packs it, and puts it alone into an image.",
          "whittle") {
  app_.formatter(std::make_shared<Formatter>());
  app_.set_help_flag("-h,--help", "Print this help");
  app_.set_version_flag("--version", version_text, "Print versions of whittle and its libraries");
  app_.footer(
      "`whittle help COMMAND` explains one command.\n\nExample:\n"
      "  whittle build            # build and ship what this build.yml says\n"
      "  whittle pack app && ./app.packed");
  app_.require_subcommand(0, 1);
}

CLI::App* Program::add_command(const std::string& name, const std::string& description,
                               Action action) {
  CLI::App* command = app_.add_subcommand(name, description);
  command->group("Commands");
  command->set_help_flag("-h,--help", "Print this help");
  actions_.emplace(command, std::move(action));
  return command;
}

int Program::print_help(const std::string& command) {
  if (command.empty()) {
    // Not app_.help(): that would explain the chosen command, which is `help` itself.
    print_result(app_.get_formatter()->make_help(&app_, "whittle", CLI::AppFormatMode::Normal));
    return 0;
  }
  std::vector<std::string> names;
  for (const CLI::App* candidate : app_.get_subcommands({})) {
    names.push_back(candidate->get_name());
    if (candidate->get_name() != command) continue;
    print_result(candidate->help("whittle"));
    return 0;
  }
  throw Error(
      ErrorKind::usage, "",
      fmt::format("unknown command `{}`{}", printable(command), did_you_mean(command, names)));
}

int Program::explain(const CLI::ParseError& error) {
  const auto chosen = app_.get_subcommands();
  const CLI::App& command = chosen.empty() ? app_ : *chosen.front();
  std::string message = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    // What is left over; what follows `--` is no option, whatever it looks like.
    std::vector<std::string> rest = app_.remaining(true);
    const bool after_options = !rest.empty() && rest.front() == "--";
    if (after_options) rest.erase(rest.begin());
    const std::string word = rest.empty() ? "" : rest.front();
    if (word.starts_with("-") && !after_options) {
      const std::string name = word.substr(0, word.find('='));
      const bool is_known = !chosen.empty() && command.get_option_no_throw(name) != nullptr;
      message = is_known ? fmt::format("options go after the command: `whittle {} {}`",
                                       command.get_name(), printable(name))
                         : fmt::format("unknown option `{}`{}", printable(name),
                                       did_you_mean(name, long_options(command)));
    } else if (chosen.empty()) {
      std::vector<std::string> names;
      for (const CLI::App* candidate : app_.get_subcommands({})) {
        names.push_back(candidate->get_name());
      }
      message = fmt::format("unknown command `{}`{}", printable(word), did_you_mean(word, names));
    } else {
      message = fmt::format("unexpected argument `{}`", printable(word));
    }
  }
  // CLI11's "--output: 1 required OUT missing" and "--level: At Most 1 required but received 2".
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    message = fmt::format(
        "`{}` {}", message.substr(0, message.find(':')),
        message.find("At Most") != std::string::npos ? "is given more than once" : "needs a value");
  }
  return refuse(message);
}

int Program::refuse(const std::string& message) {
  const auto chosen = app_.get_subcommands();
  print_error(message);
  print_message(fmt::format("Run `whittle{} --help` to see how it is used.",
                            chosen.empty() ? "" : " " + chosen.front()->get_name()));
  return exit_code(ErrorKind::usage);
}

// The name of the chosen command's first option or argument with an empty value, or "".
std::string Program::find_empty() const {
  for (const CLI::App* command : app_.get_subcommands()) {
    for (const CLI::Option* option : command->get_options()) {
      const auto& values = option->results();
      if (!may_be_empty_.contains(option) &&
          std::find(values.begin(), values.end(), "") != values.end()) {
        return option->get_lnames().empty() ? option->get_name()
                                            : "--" + option->get_lnames().front();
      }
    }
  }
  return {};
}

void Program::add_help() {
  auto command = std::make_shared<std::string>();
  CLI::App* help =
      add_command("help", "Explain a command", [this, command] { return print_help(*command); });
  help->add_option("COMMAND", *command, "The command to explain");
  help->footer("Example:\n  whittle help pack");
}

int Program::run(int argc, const char* const* argv) {
  add_help();  // last in the list
  try {
    app_.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app_.get_subcommands();
    return print_help(chosen.empty() ? "" : chosen.front()->get_name());
  } catch (const CLI::CallForVersion& version) {
    print_result(version.what());
    return 0;
  } catch (const CLI::ParseError& error) {
    return explain(error);
  }
  const auto chosen = app_.get_subcommands();
  if (chosen.empty()) {
    print_error("no command given");
    print_message("Run `whittle --help` to see the commands.");
    return exit_code(ErrorKind::usage);
  }
  if (const std::string empty = find_empty(); !empty.empty()) {
    return refuse(fmt::format("`{}` is given an empty value; is a variable not set?", empty));
  }
  return actions_.at(chosen.front())();
}

CLI::Validator one_of(std::vector<std::string> words) {
  return CLI::Validator(
      [words = std::move(words)](const std::string& text) {
        return std::find(words.begin(), words.end(), text) != words.end()
                   ? std::string()
                   : fmt::format("`{}` is not one of {}", printable(text), fmt::join(words, ", "));
      },
      "");
}

CLI::Validator number_from(unsigned least, unsigned most) {
  return CLI::Validator(
      [least, most](const std::string& text) {
        unsigned value = 0;
        const char* const end = text.data() + text.size();
        const auto [at, error] = std::from_chars(text.data(), end, value);
        return error == std::errc() && at == end && value >= least && value <= most
                   ? std::string()
                   : fmt::format("`{}` is not a number from {} to {}", printable(text), least,
                                 most);
      },
      "");
}

void add_common_options(CLI::App* command, CommonOptions& options,
                        const std::vector<std::string>& formats) {
  command
      ->add_option("--format", options.format,
                   fmt::format("Output format:{}{}", formats.size() > 4 ? "\n" : " ",
                               fmt::join(formats, "|")))
      ->type_name("FORMAT")
      ->check(one_of(formats));
  command->add_flag("-q,--quiet", options.quiet, "Print errors only");
}

void add_no_weigh(CLI::App* command, bool& no_weigh) {
  command->add_flag("--no-weigh", no_weigh, "Do not compress to report what stages weigh");
}

CLI::App* add_file_command(Program& program, const std::string& name,
                           const std::string& description, const std::string& file,
                           std::function<int(const FileOptions&)> run) {
  auto options = std::make_shared<FileOptions>();
  CLI::App* command =
      program.add_command(name, description, [options, run] { return run(*options); });
  command->add_option("FILE", options->input, file)->required();
  add_common_options(command, options->common);
  return command;
}

}  // namespace whittle::cli
