// SPDX-License-Identifier: MIT
//
// Weighs the forms that an executable goes through: each on disk, and as a layer on the wire. What
// a form weighs on the wire is only known by compressing it, gzip and zstd both, which costs more
// than the rest of a build; so that happens in parallel, and once for forms that are equal.
#pragma once

#include <string>
#include <vector>

#include "common/bytes.h"
#include "report/size_report.h"

namespace whittle::flow {

struct Form {
  std::string stage;  // "built"
  Bytes bytes;
  std::string note;
};

// One stage a form, in order. Without `on_wire` only the sizes on disk are filled in.
std::vector<report::Stage> weigh(const std::vector<Form>& forms, bool on_wire);

}  // namespace whittle::flow
