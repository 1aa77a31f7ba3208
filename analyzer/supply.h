// SPDX-License-Identifier: MIT
//
// What an image has of what a program needs. The ways in which a need can be met are data, see
// need_rules.h.
#pragma once

#include <string_view>

#include "analyzer/report.h"
#include "analyzer/startup.h"
#include "common/file_tree.h"

namespace whittle::analyzer {

// Sets `supplied_by` of each need that the image meets, for programs that run as its config says.
void mark_supplied(const FileTree& tree, StartCheck& check, BinaryReport& report);

// Whether the content of a file of that path is asked for when an image is checked: by this and by
// StartCheck. It may be known only in part of the others.
bool is_consulted(std::string_view path);

}  // namespace whittle::analyzer
