// SPDX-License-Identifier: MIT
#include "flow/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/error.h"

namespace whittle::flow {
namespace {

// Walks from a step that never became ready to one of the dependencies that keep it waiting, and on
// from there. Every such step has one, so the walk comes back to where it was: that is the cycle.
std::vector<std::string> find_cycle(const config::BuildFile& file,
                                    const std::map<std::string, std::size_t>& waiting) {
  std::vector<std::string> walk{waiting.begin()->first};
  while (true) {
    const config::Step& step = file.steps[waiting.at(walk.back())];
    const auto next = std::find_if(step.depends_on.begin(), step.depends_on.end(),
                                   [&](const std::string& label) { return waiting.count(label); });
    const auto seen = std::find(walk.begin(), walk.end(), *next);
    if (seen != walk.end()) {
      std::vector<std::string> cycle(seen, walk.end());
      cycle.push_back(*next);
      return cycle;
    }
    walk.push_back(*next);
  }
}

}  // namespace

Plan make_plan(const config::BuildFile& file) {
  std::map<std::string, std::size_t> waiting;  // label → index in file.steps
  for (std::size_t i = 0; i < file.steps.size(); i++) waiting.emplace(file.steps[i].label, i);

  Plan plan{.path = file.path, .steps = {}};
  std::map<std::string, std::size_t> placed;  // label → index in plan.steps
  while (!waiting.empty()) {
    // The first step of the file, in its order, that nothing unplaced keeps waiting.
    const auto is_ready = [&](const config::Step& step) {
      return !placed.count(step.label) &&
             std::all_of(step.depends_on.begin(), step.depends_on.end(),
                         [&](const std::string& label) { return placed.count(label) != 0; });
    };
    const auto ready = std::find_if(file.steps.begin(), file.steps.end(), is_ready);
    if (ready == file.steps.end()) {
      const std::vector<std::string> cycle = find_cycle(file, waiting);
      const config::Step& first = file.steps[waiting.at(cycle.front())];
      throw Error(
          ErrorKind::usage, config::place(file.path, first.depends_on_position),
          fmt::format("steps depend on each other in a cycle: {}", fmt::join(cycle, " → ")));
    }
    const std::size_t index = plan.steps.size();
    placed.emplace(ready->label, index);
    waiting.erase(ready->label);
    for (const std::string& label : ready->depends_on) {
      plan.steps[placed.at(label)].dependents.push_back(index);
    }
    plan.steps.push_back(
        {.step = *ready, .dependents = {}, .dependencies = ready->depends_on.size()});
  }
  return plan;
}

}  // namespace whittle::flow
