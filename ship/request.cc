// SPDX-License-Identifier: MIT
#include "ship/request.h"

#include <filesystem>

namespace whittle::ship {

std::string ShipRequest::program_path() const {
  if (!image.name.empty()) return image.name;
  return "/" + std::filesystem::path(binary).lexically_normal().filename().native();
}

std::string ShipRequest::archive() const {
  if (!image.output.empty() || !image.layout.empty()) return image.output;
  return std::filesystem::path(binary).lexically_normal().filename().native() + ".tar";
}

}  // namespace whittle::ship
