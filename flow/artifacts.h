// SPDX-License-Identifier: MIT
//
// Artifacts: what a step hands to the steps after it. `source[:folder]` is copied into `folder`
// under the work directory, keeping the base name, its contents (folders with all that is in them)
// and exact permission bits. A named source that is a symbolic link is followed; links inside a
// folder are copied as links. Nothing is read from or written to outside the work directory: what
// the build file says is checked by its text, and here by where it really leads.
//
// A host step whose artifact lies where it belongs already has nothing to copy; it is then only
// checked to be there.
#pragma once

#include <filesystem>

#include "config/build_file.h"

namespace whittle::flow {

// Copies one artifact; `source_root` is the folder that its source is relative to and lies in
// `work_dir`. Throws Error{failed} where the source does not exist, Error{refused} where source or
// target lead out of the work directory, where a folder would be copied into itself or a special
// file is met, and Error{io} where the system refuses.
void copy_artifact(const config::Artifact& artifact, const std::filesystem::path& source_root,
                   const std::filesystem::path& work_dir);

}  // namespace whittle::flow
