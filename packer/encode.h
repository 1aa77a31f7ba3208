// SPDX-License-Identifier: MIT
//
// Codes the streams of a packed file and puts them in the order in which its stub shall decode
// them: what takes longest first, so that several processors finish together.
#pragma once

#include <cstdint>
#include <vector>

#include "common/bytes.h"
#include "packer/container/stubs.h"
#include "packer/format.h"
#include "packer/packer.h"
#include "packer/streams.h"

namespace whittle::packer {

// The stub, the tables and the payload of a packed file. Where the stub has late code, the first
// stream is that.
struct Encoded {
  const Stub& stub;
  std::vector<PackStream> streams = {};
  std::vector<Bytes> packed = {};  // the bytes of each
  std::vector<PackRegion> regions = {};
  std::uint16_t first_held = 0;  // as in PackHeader
};

// At kLevel… `level`, for a stub of `machine`'s. Uses every processor; the calling thread reports
// progress.
Encoded encode(std::vector<StreamGroup> groups, std::uint32_t level, std::uint16_t machine,
               const Progress& progress);

}  // namespace whittle::packer
