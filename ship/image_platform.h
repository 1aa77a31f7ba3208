// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "common/linked_object.h"

namespace whittle::ship {

// What keeps a program from running on an image's platform ("linux/arm64/v8"): "is for amd64, but
// the image is for arm64". Empty where nothing does, and where the platform is not known.
std::string problem_of_machine(const LinkedObject& object, std::string_view platform);

}  // namespace whittle::ship
