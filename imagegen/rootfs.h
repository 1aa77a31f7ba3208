// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "imagegen/image.h"

namespace whittle::imagegen {

// A file or a folder of the layer. `content` views the RootFile that it was made from.
struct RootEntry {
  std::string path;  // relative to the root, as tar names it: "usr/bin/app"
  bool is_folder = false;
  std::uint32_t mode = 0;
  ByteView content;
};

// "/usr//bin/./app" → "/usr/bin/app". Throws Error{usage} for a path that is not absolute, has
// "..", a NUL or bytes that are no UTF-8, or is longer than Linux takes.
std::string normalise_path(std::string_view path);

// The files, the folders and every parent folder, sorted so that a folder comes before what is in
// it. Throws Error{usage} for two files of one path, a file inside a file, and names that mean
// something else in a layer (".wh.…", a whiteout). The files must outlive the result.
std::vector<RootEntry> make_root(const std::vector<RootFile>& files,
                                 const std::vector<std::string>& folders);

}  // namespace whittle::imagegen
