// SPDX-License-Identifier: MIT
//
// Any text is a build file with a plan, or an Error{usage}.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/error.h"
#include "config/build_file.h"
#include "flow/plan.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const whittle::Environment environment = {{"A", "a"}, {"B", "[x, y]\n  z: 1"}};
  try {
    whittle::flow::make_plan(whittle::config::parse_build_file(
        std::string_view(reinterpret_cast<const char*>(data), size), "build.yml", environment));
  } catch (const whittle::Error& error) {
    if (error.kind() != whittle::ErrorKind::usage) std::abort();
  }
  return 0;
}
