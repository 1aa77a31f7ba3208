// SPDX-License-Identifier: MIT
#include "ship/image_platform.h"

#include <fmt/format.h>

#include "common/error.h"
#include "common/text.h"
#include "imagegen/image.h"

namespace whittle::ship {
namespace {

std::string architecture_of(const LinkedObject& object) {
  try {
    return imagegen::platform_of(object.machine, object.is_64bit, object.order == ByteOrder::big,
                                 "")
        .architecture;
  } catch (const Error&) {
    return fmt::format("ELF machine {}", object.machine);
  }
}

// Kernels of these machines run programs of their predecessors.
bool runs_on(std::string_view program, std::string_view machine) {
  return program == machine || (program == "386" && machine == "amd64") ||
         (program == "arm" && machine == "arm64");
}

}  // namespace

std::string problem_of_machine(const LinkedObject& object, std::string_view platform) {
  const std::size_t slash = platform.find('/');
  if (slash == std::string_view::npos) return {};
  std::string_view machine = platform.substr(slash + 1);
  machine = machine.substr(0, machine.find('/'));
  const std::string program = architecture_of(object);
  if (machine.empty() || runs_on(program, machine)) return {};
  return fmt::format("is for {}, but the image is for {}", program, printable(machine));
}

}  // namespace whittle::ship
