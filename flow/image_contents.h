// SPDX-License-Identifier: MIT
//
// What an image that is to be written lacks: known before anything is written, from the files that
// it gets and the way it is started.
#pragma once

#include <string>
#include <vector>

#include "analyzer/report.h"
#include "imagegen/image.h"

namespace whittle::flow {

struct ContentProblems {
  // Why no container of the image can ever start; empty where one may. What engines may put there
  // (below /proc, /sys and /dev) or what is not understood (options of `env`) is a warning.
  std::string fatal;
  // Added scripts without their interpreters, added programs without their libraries, and needs of
  // high confidence that nothing in the image meets. Nobody knows that they are used.
  std::vector<std::string> warnings;
};

// `needs` are those of the executable, which is the first of the spec's files.
ContentProblems find_content_problems(const imagegen::ImageSpec& spec,
                                      const std::vector<analyzer::Need>& needs);

}  // namespace whittle::flow
