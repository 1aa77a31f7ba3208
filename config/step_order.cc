// SPDX-License-Identifier: MIT
#include "config/step_order.h"

#include <map>
#include <string_view>

namespace whittle::config {

StepOrder::StepOrder(const std::vector<Step>& steps) : before_(steps.size()) {
  std::map<std::string_view, std::size_t> index;
  for (std::size_t i = 0; i < steps.size(); i++) index.emplace(steps[i].label, i);
  for (std::size_t i = 0; i < steps.size(); i++) {
    for (const std::string& label : steps[i].depends_on) before_[i].set(index.at(label));
  }
  // Warshall's transitive closure, a row at a time.
  for (std::size_t middle = 0; middle < steps.size(); middle++) {
    for (std::size_t i = 0; i < steps.size(); i++) {
      if (before_[i][middle]) before_[i] |= before_[middle];
    }
  }
}

}  // namespace whittle::config
