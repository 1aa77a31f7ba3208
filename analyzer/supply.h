// SPDX-License-Identifier: MIT
//
// Which needs of a program its image meets. The ways to meet a need are data, see need_rules.h.
#pragma once

#include <string_view>

#include "analyzer/report.h"
#include "analyzer/startup.h"
#include "common/file_tree.h"

namespace whittle::analyzer {

// Sets `supplied_by` of each need that the image meets, for programs that run as its config says.
void mark_supplied(const FileTree& tree, StartCheck& check, BinaryReport& report);

// Whether mark_supplied and StartCheck read the content of a file with this path. Of other files a
// tree need not know the content.
bool is_consulted(std::string_view path);

}  // namespace whittle::analyzer
