// SPDX-License-Identifier: MIT
//
// An audit of whatever a path leads to: files and folders as the analyzer walks them, images as
// imagegen reads them, and what is inside of packed programs as packer gives it back.
#pragma once

#include <filesystem>
#include <vector>

#include "analyzer/analyzer.h"
#include "analyzer/image_report.h"

namespace whittle::ship {

struct Audit {
  std::vector<analyzer::AuditedFile> files;
  std::vector<analyzer::ImageReport> images;  // of paths that lead to images, in their order
};

// As analyzer::audit; in addition, a path to an OCI layout, to skopeo's `dir:` or to an archive of
// images means the images in it. A program of an image is named
// "app.tar:/usr/bin/app", or "app.tar[linux/arm64]:/usr/bin/app" where there are several images.
// Folders are not searched for images. Sets `options.find_packed`: the report on a program that
// whittle packed is that of the original.
Audit audit(const std::vector<std::filesystem::path>& paths, analyzer::AuditOptions options);

}  // namespace whittle::ship
