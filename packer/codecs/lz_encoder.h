// SPDX-License-Identifier: MIT
//
// The encoder half of the codec that stubs are kept in (stub/codecs/lz_decoder.h is the other
// half).
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/bytes.h"

namespace whittle::packer {

// Packs what follows the first `known` bytes of `raw`; the decoder has those before it.
// The result is the shortest: the search is over all parses, but for literals in runs of more than
// 1,024. Distances are multiples of `unit` bytes. Takes time with the square of the size, half a
// second for 64 KiB; `raw` is smaller than 16 MiB.
Bytes lz_encode(ByteView raw, std::size_t known, std::uint32_t unit);

}  // namespace whittle::packer
