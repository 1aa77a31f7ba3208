// SPDX-License-Identifier: MIT
//
// An audit of whatever a path leads to: files and folders as the analyzer walks them, images as
// imagegen reads them, and what is inside of packed programs as packer gives it back.
#pragma once

#include <filesystem>
#include <vector>

#include "analyzer/analyzer.h"

namespace whittle::flow {

// As analyzer::audit; in addition a path that leads to an OCI layout or to an image's archive
// stands for the files in its images, named "app.tar:/usr/bin/app", or
// "app.tar[linux/arm64]:/usr/bin/app" where it has several. Folders are not searched for images.
// Sets `options.find_packed`: the report on a program that whittle packed is that of the original.
std::vector<analyzer::AuditedFile> audit(const std::vector<std::filesystem::path>& paths,
                                         analyzer::AuditOptions options);

}  // namespace whittle::flow
