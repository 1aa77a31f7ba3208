// SPDX-License-Identifier: MIT
//
// Weighs the forms that an executable goes through: each on disk, and as a layer on the wire. What
// a form weighs on the wire is only known by compressing it, gzip and zstd both, which costs more
// than the rest of a build; so that happens in parallel, largest first, and once for forms that are
// equal. The layer that is shipped is not compressed again.
//
// The wire sizes of a form are those of a layer with this form of the program and nothing else that
// is added to the image; those of "layer" are those of the whole image.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "imagegen/image.h"
#include "report/size_report.h"

namespace whittle::ship {

struct Form {
  std::string stage;  // "built"
  Bytes bytes;
  std::string note;
};

// One stage a form, in order; the last form is the first file of `spec`.
std::vector<report::Stage> stages_of(const std::vector<Form>& forms);

// Fills in what the stages weigh as layers, those of `stages_of(forms)` and, after them, "layer":
// the layer of `spec`, of which `disk` is known. What is asked to stop leaves the rest unknown.
void weigh(const std::vector<Form>& forms, const imagegen::ImageSpec& spec,
           std::vector<report::Stage>& stages, std::stop_token stop);

}  // namespace whittle::ship
