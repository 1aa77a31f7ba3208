// SPDX-License-Identifier: MIT
#include "common/user_database.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/text.h"

namespace whittle {
namespace {

std::optional<std::uint32_t> parse_number(std::string_view text) {
  constexpr std::uint32_t kLargest = 0x7fffffff;  // what runc and docker take
  std::uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || at != end || value > kLargest) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

// Calls `take` with the fields of each line until it returns true.
template <typename Take>
void for_each_line(std::optional<std::string_view> file, Take take) {
  if (!file) return;
  for (const std::string_view line : split(*file, '\n')) {
    if (!line.empty() && take(split(line, ':'))) return;
  }
}

struct Found {
  std::string_view name;
  std::uint32_t number = 0, group = 0;
};

// The line whose first field is `text`, or whose third is, if it is a number.
std::optional<Found> find_line(std::optional<std::string_view> file, std::string_view text) {
  const auto number = parse_number(text);
  std::optional<Found> found;
  for_each_line(file, [&](const std::vector<std::string_view>& fields) {
    if (fields.size() < 3) return false;
    const auto own = parse_number(fields[2]);
    if (!own || (fields[0] != text && (!number || *own != *number))) return false;
    found = {fields[0], *own,
             fields.size() > 3 ? parse_number(fields[3]).value_or(0) : std::uint32_t{0}};
    return true;
  });
  return found;
}

std::string missing(std::string_view what, std::string_view name,
                    std::optional<std::string_view> file, std::string_view path) {
  return file ? fmt::format("has no line for the {} `{}` in {}", what, printable(name), path)
              : fmt::format("has no {} to look up the {} `{}`", path, what, printable(name));
}

}  // namespace

Identity find_identity(std::string_view user, std::optional<std::string_view> passwd,
                       std::optional<std::string_view> group) {
  Identity out;
  const std::size_t colon = user.find(':');
  const std::string_view name = user.substr(0, colon);
  const std::string_view group_name =
      colon == std::string_view::npos ? std::string_view() : user.substr(colon + 1);
  const auto line = find_line(passwd, name.empty() ? "0" : name);
  if (line) {
    out.user = line->number;
    out.group = line->group;
  } else if (const auto number = name.empty() ? 0 : parse_number(name)) {
    out.user = *number;
  } else {
    out.problem = missing("user", name, passwd, "/etc/passwd");
    return out;
  }
  if (!group_name.empty()) {
    const auto number = parse_number(group_name);
    if (const auto found = find_line(group, group_name)) {
      out.group = found->number;
    } else if (number) {
      out.group = *number;
    } else {
      out.problem = missing("group", group_name, group, "/etc/group");
    }
  } else if (line) {
    for_each_line(group, [&](const std::vector<std::string_view>& fields) {
      if (fields.size() < 4) return false;
      const auto members = split(fields[3], ',');
      const auto number = parse_number(fields[2]);
      if (number && std::find(members.begin(), members.end(), line->name) != members.end()) {
        out.groups.push_back(*number);
      }
      return false;
    });
  }
  return out;
}

}  // namespace whittle
