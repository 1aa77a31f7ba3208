// SPDX-License-Identifier: MIT
//
// The order of steps. `depends_on` makes a graph; a step may start as soon as everything that it
// depends on is done. (Running level by level instead would make the quick steps of a level wait
// for its slowest.) A graph with a cycle has no order, and the error names the cycle's members.
#pragma once

#include <string>
#include <vector>

#include "config/build_file.h"

namespace whittle::flow {

struct PlannedStep {
  config::Step step;
  std::vector<std::size_t> dependents;  // indices of the steps that wait for this one
  std::size_t dependencies = 0;         // how many steps this one waits for
};

struct Plan {
  std::string path;                // of the build file
  std::vector<PlannedStep> steps;  // each after everything it depends on; else as in the file
};

// Throws Error{usage} for a cycle ("a → b → a"). Dependencies must name steps of the file, which
// parse_build_file has made sure of.
Plan make_plan(const config::BuildFile& file);

}  // namespace whittle::flow
