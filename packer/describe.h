// SPDX-License-Identifier: MIT
//
// A packed file's streams in words, for people who ask where its bytes are.
#pragma once

#include <vector>

#include "packer/packer.h"
#include "packer/reader.h"

namespace whittle::packer {

// One entry a stream, in the order of the file.
std::vector<StreamInfo> describe_streams(const PackedView& view);

}  // namespace whittle::packer
