// SPDX-License-Identifier: MIT
#include "flow/host_path.h"

#include <algorithm>

namespace whittle::flow {

std::string problem_of_inner_path(std::string_view path) {
  if (path.empty()) return "is an empty path";
  const std::filesystem::path inner(path);
  if (inner.is_absolute()) return "is absolute, but must be a path inside the work directory";
  const auto normal = inner.lexically_normal();
  if (normal.begin() != normal.end() && *normal.begin() == "..") {
    return "leaves the work directory";
  }
  return "";
}

bool leads_inside(const std::filesystem::path& path, const std::filesystem::path& folder) {
  std::error_code error;
  const auto real_folder = std::filesystem::canonical(folder, error);
  if (error) return false;
  const auto real_path = std::filesystem::weakly_canonical(path, error);
  if (error) return false;
  const auto [left, right] =
      std::mismatch(real_folder.begin(), real_folder.end(), real_path.begin(), real_path.end());
  return left == real_folder.end();
}

}  // namespace whittle::flow
