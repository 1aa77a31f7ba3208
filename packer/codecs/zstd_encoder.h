// SPDX-License-Identifier: MIT
//
// The encoder half of the zstd codec: libzstd at its strongest settings. The decoder half is our
// own (stub/codecs/zstd_decoder.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "common/bytes.h"

namespace whittle::packer {

// One frame (RFC 8878) with its content size, no checksum (the packed file has digests of its own),
// and a window that covers all of `raw`: the decoder's output is its window, so distance costs
// nothing. `done`, where given, grows by raw.size() as the work proceeds. Throws Error{internal}
// where libzstd fails.
Bytes zstd_encode(ByteView raw, std::atomic<std::uint64_t>* done = nullptr);

// The size that a quick, weak compression comes to: good enough to compare two forms of one range.
std::uint64_t zstd_estimate(ByteView raw);

}  // namespace whittle::packer
