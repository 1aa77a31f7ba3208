// SPDX-License-Identifier: MIT
//
// The files of an image as a container would see them: its layers laid over one another, without
// unpacking anything to disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "common/bytes.h"
#include "common/error.h"

namespace whittle::imagegen {

struct ImageFile {
  std::string image;  // which of several in one archive, "linux/arm64"; empty where there is one
  std::string path;   // "/usr/bin/app"
  std::uint32_t mode = 0;
  Bytes content;
};

struct ImageVisitor {
  // Whether a file that begins with these bytes (four, or fewer where it is shorter) is wanted.
  std::function<bool(ByteView)> wants;
  std::function<void(ImageFile)> take;
  // What could not be read; the walk goes on. `where` is "/path" or the name of a layer.
  std::function<void(std::string where, const Error&)> problem;
};

// True for a folder that is an OCI layout, and for a tar, compressed or not, that is one or is an
// archive of `docker save`. False for anything else, unreadable files included.
bool is_image(const std::filesystem::path& path);

// Visits the regular files of every image in the layout or archive. Throws Error{corrupt} where the
// archive, an index or a manifest cannot be read; a damaged layer is a problem for the visitor.
// Files of more than 1 GiB are problems.
void walk_image(const std::filesystem::path& path, const ImageVisitor& visitor);

}  // namespace whittle::imagegen
