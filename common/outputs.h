// SPDX-License-Identifier: MIT
//
// What a command writes must be none of the files that it reads, and no two outputs one file: the
// later one would replace the earlier, or an input, and the command would end well.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace whittle {

struct NamedPath {
  std::string what;            // for the message: "the executable", "`--report`"
  std::filesystem::path path;  // empty: not there
  bool is_tree = false;        // an input that is read with all that is in it, if it is a folder
};

// True where both names lead to one place: to the same existing file through whatever links, or,
// as far as files are missing, by their names. Devices and FIFOs are never one place: nothing is
// lost there.
bool same_place(const std::filesystem::path& a, const std::filesystem::path& b);

// Throws Error{usage} where an output leads to the place of an input or of another output, or into
// a folder that is read with all that is in it.
void refuse_collisions(const std::vector<NamedPath>& inputs, const std::vector<NamedPath>& outputs);

}  // namespace whittle
