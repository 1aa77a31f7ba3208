// SPDX-License-Identifier: MIT
//
// Files and folders of the host on their way into an image.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "imagegen/image.h"
#include "ship/request.h"

namespace whittle::ship {

// Adds to the spec what the block's `add` and `add_dir` name, sources being relative to `base`. A
// folder is added with all that is in it, in the order of its names. Symbolic links in it stay
// links and are not followed; `base` and the source itself may be links.
//
// Returns what is worth a warning. Throws Error{usage} for text that is no entry and names that an
// image cannot have, Error{refused} for a device, FIFO or socket and for more than 4 GiB or 100,000
// files, and Error{io}.
std::vector<std::string> add_content(const ImageRequest& block, const std::filesystem::path& base,
                                     imagegen::ImageSpec& spec);

}  // namespace whittle::ship
