// SPDX-License-Identifier: MIT
#pragma once

namespace whittle {

// One callable of several lambdas, for std::visit.
template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace whittle
