// SPDX-License-Identifier: MIT
//
// Two things on one path: of two outputs one would be lost, and which one may be chance; an input
// that another step's output replaces is read before or after, by chance. Such a build file is
// refused before anything runs. Everything that a step says about the host counts: artifacts, the
// executable, archives and layouts that it writes, and what it reads. What `run` does is unknown.
//
// What is allowed, because nothing is lost and nothing is chance:
//
// - several images in one layout;
// - two artifacts that copy one source to one place;
// - an artifact that lies in its place already, which is not copied: it may be named again and
// again;
// - something that is put into the folder that an artifact made, by the same step later or by a
// step
//   that depends on that artifact's step;
// - reading what another step wrote, when depending on it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/build_file.h"

namespace whittle::config {

// Where a path below the work directory leads, as a path that two names of one place share.
using Resolver = std::function<std::string(const std::string&)>;

// Throws Error{usage} with the place of one of the two and naming that of the other. `path` is that
// of the build file. Without a resolver, paths are compared by their names.
void refuse_clashes(std::string_view path, const std::vector<Step>& steps,
                    const Resolver& resolve = nullptr);

}  // namespace whittle::config
