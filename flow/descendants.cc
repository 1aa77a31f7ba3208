// SPDX-License-Identifier: MIT
#include "flow/descendants.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

namespace whittle::flow {
namespace {

namespace fs = std::filesystem;

std::optional<pid_t> parse_id(const std::string& text) {
  pid_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

// proc(5): "PID (NAME) STATE PARENT GROUP …"; the name may hold blanks and brackets, but no field
// after it does.
std::optional<ProcessEntry> parse_stat(const std::string& text) {
  const std::size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return std::nullopt;
  ProcessEntry entry;
  std::istringstream head(text.substr(0, open)), rest(text.substr(close + 1));
  if (!(head >> entry.id) || !(rest >> entry.state >> entry.parent >> entry.group)) {
    return std::nullopt;
  }
  entry.name = text.substr(open + 1, close - open - 1);
  return entry;
}

std::optional<std::vector<ProcessEntry>> descendants() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self", error);
  if (error || parse_id(self.native()) != ::getpid()) return std::nullopt;

  std::multimap<pid_t, ProcessEntry> by_parent;
  for (auto at = fs::directory_iterator("/proc", error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    if (!parse_id(at->path().filename().native())) continue;
    // A process may end in the middle of this; then there is nothing to read.
    if (auto entry = parse_stat(read_text(at->path() / "stat"))) {
      by_parent.emplace(entry->parent, std::move(*entry));
    }
  }
  if (error) return std::nullopt;

  std::vector<ProcessEntry> found;
  std::set<pid_t> seen = {::getpid()};  // ids may be used again while they are listed
  std::vector<pid_t> parents = {::getpid()};
  while (!parents.empty()) {
    const auto [begin, end] = by_parent.equal_range(parents.back());
    parents.pop_back();
    for (auto at = begin; at != end; at++) {
      if (!seen.insert(at->second.id).second) continue;
      found.push_back(at->second);
      parents.push_back(at->second.id);
    }
  }
  std::sort(found.begin(), found.end(),
            [](const ProcessEntry& a, const ProcessEntry& b) { return a.id < b.id; });
  return found;
}

}  // namespace whittle::flow
