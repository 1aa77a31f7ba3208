// SPDX-License-Identifier: MIT
//
// The blobs of an OCI layout on disk: reading the documents among them, adding new ones, and
// removing those that nothing refers to any more.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "imagegen/manifest.h"

namespace whittle::imagegen {

// Parses a JSON object; `path` is for messages. Throws Error{malformed} for anything else, and for
// one that is nested so deeply that it is no OCI document.
Json parse_object(ByteView bytes, const std::string& path);

// The document that a descriptor leads to. Throws Error{corrupt} where the layout does not have it
// or its bytes are not those of the digest, Error{refused} where it is larger than any document or
// its digest is not SHA-256, and Error{malformed}.
Json read_document(const std::filesystem::path& layout, const Json& descriptor);

// Blobs that are being added. Those that the layout has already, with the right bytes, are left
// alone. What was added is taken back unless `keep` is called.
class NewBlobs {
 public:
  NewBlobs(const std::filesystem::path& layout, const std::vector<const Blob*>& blobs);
  ~NewBlobs();
  NewBlobs(const NewBlobs&) = delete;
  NewBlobs& operator=(const NewBlobs&) = delete;
  void keep() { added_.clear(); }

 private:
  void remove_added() noexcept;

  std::vector<std::filesystem::path> added_;
};

// Removes the blobs that make up the images of `replaced` (descriptors, as they were in index.json)
// and that the layout, as it is now, does not mention. Returns what the user should know: blobs
// that had to stay, and why. The caller holds the layout's lock.
std::vector<std::string> remove_unreferenced(const std::filesystem::path& layout,
                                             const std::vector<Json>& replaced);

// Removes temporary files of writers that were killed. The caller holds the layout's lock, so no
// temporary file belongs to a writer that still runs.
void remove_leftovers(const std::filesystem::path& layout);

}  // namespace whittle::imagegen
