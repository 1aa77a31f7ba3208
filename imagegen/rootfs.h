// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "imagegen/image.h"

namespace whittle::imagegen {

// A file, a folder or a symbolic link of the layer. `content` views the RootFile that it was made
// from.
struct RootEntry {
  std::string path;  // relative to the root, as tar names it: "usr/bin/app"
  bool is_folder = false;
  std::uint32_t mode = 0;
  ByteView content;
  Owner owner = {};
  std::string target = {};  // of a symbolic link; empty for anything else
};

// "/usr//bin/./app" → "/usr/bin/app". Throws Error{usage} for a path that is not absolute, has
// "..", a NUL or bytes that are no UTF-8, or is longer than Linux takes.
std::string normalise_path(std::string_view path);

// The files, links and folders of the spec, its working folder and every folder above one of them,
// sorted by path, so that a folder comes before what is in it. Throws Error{usage} for two files of
// one path, a folder that is given twice with different modes or owners, a file where a folder has
// to be, names that mean something else in a layer (".wh.…", a whiteout), and a link that leads
// above the root. The spec must outlive the result.
std::vector<RootEntry> make_root(const ImageSpec& spec);

}  // namespace whittle::imagegen
