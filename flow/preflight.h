// SPDX-License-Identifier: MIT
//
// A build file against the folder that it is run in: what is missing there, or in the way, is
// reported before anything runs, with its place in the file, and not after minutes of compiling.
//
// What is there and wrong (a file where a layout goes, a link out of the work directory, a layout's
// folder that holds something else) is a mistake at once. What is missing may still be made: by the
// step's own `run` (for all but `dir`), and by the steps that it depends on. What commands make
// cannot be known, but most files say it. A path is taken to be made in time where
//
// - one of these steps names it, or something in it or around it, as an artifact, a binary, an
//   `output` or a layout; or
// - the text of their `run` has one of the names in it that the path is missing.
//
// Otherwise a missing input is an error where none of these steps has a `run`, and a warning where
// one has: a script may make it without a word. A missing folder of an output is an error all the
// same. Nothing is taken to be made by steps that may run at the same time: that would be chance.
#pragma once

#include <filesystem>
#include <string_view>

#include "flow/plan.h"
#include "ship/event.h"

namespace whittle::flow {

// Throws Error{usage}, or Error{refused} for a link that leads out of the work directory and for a
// layout's folder that holds something else, with the place in the build file.
void check_host_paths(const Plan& plan, const std::filesystem::path& work_dir,
                      ship::Observer& observer);

// The same for what one step ships, once its command has run and its artifacts are in their places:
// now nothing makes what is missing any more, which is an Error{failed} of the step. `file` is the
// path of the build file.
void check_shipped_paths(const config::Step& step, std::string_view file,
                         const std::filesystem::path& work_dir);

}  // namespace whittle::flow
