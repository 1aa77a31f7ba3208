// SPDX-License-Identifier: MIT
#include "analyzer/supply.h"

#include <algorithm>
#include <string>
#include <vector>

namespace whittle::analyzer {
namespace {

constexpr std::string_view kEngine = "the container engine";

// Whether databases are looked up in the files of /etc, as far as they are named at all.
bool names_files(std::string_view text) {
  bool is_named = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = line.substr(0, line.find('#'));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string services = " " + std::string(line.substr(colon + 1)) + " ";
    std::replace(services.begin(), services.end(), '\t', ' ');
    const bool has_files = services.find(" files ") != std::string::npos;
    is_named |= has_files;
    const std::string_view database = line.substr(0, line.find_first_of(" \t:"));
    for (const std::string_view asked : {"passwd", "group", "hosts"}) {
      if (database == asked && !has_files) return false;
    }
  }
  return is_named;
}

bool is_there(const FileTree& tree, StartCheck& check, Supply::What what, const std::string& path) {
  constexpr std::uint64_t kMaxText = 1 << 20;
  const auto found = resolve(tree, path);
  if (!found) return false;
  const bool is_read = found->entry.is_file() && found->entry.size > 0 && check.may_read(*found);
  switch (what) {
    case Supply::What::file:
      return is_read;
    case Supply::What::folder:
      return found->entry.is_folder() && check.may_enter(*found) &&
             !tree.names(found->path).empty();
    case Supply::What::program:
      return check.run(path).answer == Answer::yes;
    case Supply::What::writable_folder:
      return found->entry.is_folder() && check.may_write(*found);
    case Supply::What::name_services: {
      const auto bytes = is_read ? tree.read(found->path, kMaxText) : std::nullopt;
      return bytes && names_files(as_text(*bytes));
    }
    case Supply::What::engine:
      return true;
  }
  return false;
}

// What there is of a way; nothing unless it is all there.
std::vector<std::string> find_supply(const FileTree& tree, StartCheck& check, const Supply& way) {
  if (way.what == Supply::What::engine) return {std::string(kEngine)};
  std::vector<std::string> paths = way.paths;
  if (!way.variable.empty()) {
    const auto value = check.variable(way.variable);
    if (value && !value->empty()) paths = {*value};
  }
  for (const std::string& path : paths) {
    if (!is_there(tree, check, way.what, path)) return {};
  }
  return paths;
}

}  // namespace

void mark_supplied(const FileTree& tree, StartCheck& check, BinaryReport& report) {
  for (Need& need : report.needs) {
    for (const Supply& way : need.ways) {
      need.supplied_by = find_supply(tree, check, way);
      if (!need.supplied_by.empty()) break;
    }
  }
}

bool is_consulted(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  for (const std::string_view asked : {"passwd", "group", "nsswitch.conf", "ld.so.conf"}) {
    if (name == asked) return true;
  }
  if (name.starts_with("ld-musl-") && name.ends_with(".path")) return true;
  return path.find("/ld.so.conf.d/") != std::string_view::npos;
}

}  // namespace whittle::analyzer
