// SPDX-License-Identifier: MIT
//
// A packed file's streams in words, for people who ask where its bytes are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "packer/container/reader.h"
#include "packer/packer.h"

namespace whittle::packer {

std::string transform_name(std::uint32_t transform);  // "Go function table"

// One entry a stream, in the order of the file.
std::vector<StreamInfo> describe_streams(const PackedView& view);

}  // namespace whittle::packer
