// SPDX-License-Identifier: MIT
#include "common/host_path.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace whittle {
namespace {

constexpr int kMaxLinks = 40;               // as the kernel has it
constexpr std::size_t kLongestPath = 4095;  // Linux PATH_MAX without its NUL
constexpr std::size_t kLongestName = 255;   // Linux NAME_MAX

// Where `path` leads when every symbolic link is followed, those that dangle too (which
// std::filesystem::weakly_canonical takes for plain names). Nothing where links go in circles.
std::optional<std::filesystem::path> resolve(const std::filesystem::path& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  if (error) return std::nullopt;
  std::filesystem::path resolved = absolute.root_path();
  std::vector<std::filesystem::path> rest(absolute.begin(), absolute.end());
  std::reverse(rest.begin(), rest.end());  // the next component is the last
  int links = 0;
  while (!rest.empty()) {
    const std::filesystem::path component = rest.back();
    rest.pop_back();
    if (component.empty() || component == "." || component == absolute.root_path()) continue;
    if (component == "..") {
      resolved = resolved.parent_path();
      continue;
    }
    const auto next = resolved / component;
    if (!std::filesystem::is_symlink(std::filesystem::symlink_status(next, error))) {
      resolved = next;
      continue;
    }
    if (++links > kMaxLinks) return std::nullopt;
    const auto target = std::filesystem::read_symlink(next, error);
    if (error) return std::nullopt;
    if (target.is_absolute()) resolved = target.root_path();
    std::vector<std::filesystem::path> parts(target.begin(), target.end());
    rest.insert(rest.end(), parts.rbegin(), parts.rend());
  }
  return resolved;
}

}  // namespace

std::string problem_of_inner_path(std::string_view path) {
  if (path.empty()) return "is an empty path";
  if (path.size() > kLongestPath) return "is a path of more than 4,095 bytes";
  const std::filesystem::path inner(path);
  for (const std::filesystem::path& name : inner) {
    if (name.native().size() > kLongestName) return "has a name of more than 255 bytes";
  }
  if (inner.is_absolute()) return "is absolute, but must be a path inside the work directory";
  const auto normal = inner.lexically_normal();
  if (normal.begin() != normal.end() && *normal.begin() == "..") {
    return "leaves the work directory";
  }
  return "";
}

std::string normal_inner_path(std::string_view path) {
  std::string normal = std::filesystem::path(path).lexically_normal().native();
  while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

bool names_folder(std::string_view path) {
  const auto name = std::filesystem::path(path).filename();
  return name.empty() || name == "." || name == "..";
}

bool leads_inside(const std::filesystem::path& path, const std::filesystem::path& folder) {
  std::error_code error;
  const auto real_folder = std::filesystem::canonical(folder, error);
  if (error) return false;
  const auto real_path = resolve(path);
  if (!real_path) return false;
  const auto [left, right] =
      std::mismatch(real_folder.begin(), real_folder.end(), real_path->begin(), real_path->end());
  return left == real_folder.end();
}

}  // namespace whittle
