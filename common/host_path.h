// SPDX-License-Identifier: MIT
//
// Paths of a build file stay in the work directory. A path is checked twice: by its text, when the
// file is read (no absolute path, no way up through ".."), and where it really leads, when it is
// used (a symbolic link may point anywhere).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace whittle {

// What is wrong with `path` as a relative path inside a folder, or empty: "is absolute, …".
std::string problem_of_inner_path(std::string_view path);

// `path` without ".", ".." and a "/" at its end; "." for the folder itself. It must have no
// problem.
std::string normal_inner_path(std::string_view path);

// Whether the path can only be that of a folder: it ends in "/" or ".".
bool names_folder(std::string_view path);

// True when `path`, symbolic links followed as far as it exists, is `folder` or inside it.
bool leads_inside(const std::filesystem::path& path, const std::filesystem::path& folder);

}  // namespace whittle
