// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "imagegen/image.h"
#include "imagegen/rootfs.h"

namespace whittle::imagegen {

struct Layer {
  Blob blob;                   // compressed, with its media type
  std::string diff_id;         // "sha256:…" of the tar before compression
  std::uint64_t tar_size = 0;  // bytes before compression
};

// The entries as one layer; `mtime` in seconds since 1970 for all of them.
Layer make_layer(const std::vector<RootEntry>& root, Compression compression, std::int64_t mtime);

// A blob of these bytes under their SHA-256 digest.
Blob make_blob(std::string media_type, Bytes bytes);

}  // namespace whittle::imagegen
