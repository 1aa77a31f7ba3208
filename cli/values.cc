// SPDX-License-Identifier: MIT
#include "cli/values.h"

#include <fmt/format.h>

#include <filesystem>

#include "common/error.h"
#include "common/text.h"

namespace whittle::cli {

std::optional<report::Format> report_format(std::string_view word) {
  if (word == "text") return report::Format::text;
  if (word == "json") return report::Format::json;
  if (word == "markdown") return report::Format::markdown;
  return std::nullopt;
}

report::Format report_format_of_file(std::string_view path) {
  const std::string extension = std::filesystem::path(path).extension().native();
  if (extension == ".json") return report::Format::json;
  if (extension == ".md") return report::Format::markdown;
  return report::Format::text;
}

std::pair<std::string, std::string> parse_assignment(std::string_view option,
                                                     std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos) {
    throw Error(ErrorKind::usage, option,
                fmt::format("`{}` is not of the form NAME=VALUE", printable(text)));
  }
  return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

std::vector<std::pair<std::string, std::string>> parse_assignments(
    std::string_view option, const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> assignments;
  for (const std::string& text : texts) assignments.push_back(parse_assignment(option, text));
  return assignments;
}

}  // namespace whittle::cli
