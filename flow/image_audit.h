// SPDX-License-Identifier: MIT
//
// An audit of images: of every program in each of them, and of each as a whole. Layers are read
// once, whatever number of images they belong to; each image is judged by itself.
#pragma once

#include <filesystem>

#include "flow/audit.h"
#include "imagegen/image_set.h"

namespace whittle::flow {

// Appends to `out`. `path` is where the images are. What cannot be read of them becomes an error
// among the files, and is named by its image's report.
void audit_images(imagegen::ImageSet& images, const std::filesystem::path& path,
                  const analyzer::AuditOptions& options, Audit& out);

}  // namespace whittle::flow
