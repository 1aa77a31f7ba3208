// SPDX-License-Identifier: MIT
//
// An audit of images: every program in each of them, and each image as a whole. A layer is read
// once even if several images share it; each image is judged separately.
#pragma once

#include <filesystem>

#include "imagegen/image_set.h"
#include "ship/audit.h"

namespace whittle::ship {

// Appends to `out`; `path` is that of the images. What cannot be read becomes an error among the
// files and is listed in its image's report.
void audit_images(imagegen::ImageSet& images, const std::filesystem::path& path,
                  const analyzer::AuditOptions& options, Audit& out);

}  // namespace whittle::ship
