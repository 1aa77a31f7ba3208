// SPDX-License-Identifier: MIT
//
// What a new image lacks, found before anything is written, from its files and from the way it is
// started.
#pragma once

#include <string>
#include <vector>

#include "analyzer/report.h"
#include "imagegen/image.h"

namespace whittle::ship {

struct ContentProblems {
  // Why no container of the image can ever start; empty if one may. A program below /proc, /sys and
  // /dev, which engines mount, and unknown options of `env` are warnings.
  std::string fatal;
  // Added scripts without their interpreters, added programs without their libraries, and needs of
  // high confidence that nothing in the image meets. They are no errors because the container may
  // never use them.
  std::vector<std::string> warnings;
};

// `needs` are those of the executable, which is the first of the spec's files.
ContentProblems find_content_problems(const imagegen::ImageSpec& spec,
                                      const std::vector<analyzer::Need>& needs);

}  // namespace whittle::ship
