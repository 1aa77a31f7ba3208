// SPDX-License-Identifier: MIT
#include "common/linked_object.h"

namespace whittle {

LinkedObject describe_object(const elf::File& file) {
  const auto soname = file.dynamic_strings(elf::kDynamicSoname);
  return {.type = file.header().type,
          .machine = file.header().machine,
          .is_64bit = file.header().is_64bit,
          .order = file.header().order,
          .interpreter = file.interpreter().value_or(""),
          .soname = soname.empty() ? std::string() : soname.front(),
          .needed = file.dynamic_strings(elf::kDynamicNeeded),
          .rpath = file.dynamic_strings(elf::kDynamicRpath),
          .runpath = file.dynamic_strings(elf::kDynamicRunpath)};
}

}  // namespace whittle
