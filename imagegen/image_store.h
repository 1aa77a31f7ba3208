// SPDX-License-Identifier: MIT
//
// Where the files of an image are stored: a folder, or a tar, compressed or not. Names are relative
// to its root: "index.json", "blobs/sha256/…".
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "common/bytes.h"
#include "imagegen/byte_source.h"

namespace whittle::imagegen {

class ImageStore {
 public:
  // Called with a file's name, its bytes, and how many of them there are.
  using Visit =
      std::function<void(const std::string& name, const ByteSource& source, std::uint64_t size)>;

  virtual ~ImageStore() = default;

  // A document of at most 4 MiB; nothing if it is missing. Throws Error{refused} if it is larger,
  // Error{corrupt} if several files have that name.
  virtual std::optional<Bytes> read(const std::string& name) = 0;

  virtual bool contains(const std::string& name) = 0;

  // Visits the named files, each once, in the order that costs the least. Missing ones are skipped.
  virtual void visit(const std::set<std::string>& names, const Visit& visit) = 0;

  // Whether one call for many files costs less than many calls.
  virtual bool is_sequential() const = 0;
};

// Null for what is neither a folder nor a tar. Throws Error{io}, and Error{corrupt} for a tar that
// is damaged beyond its first entry.
std::unique_ptr<ImageStore> open_store(const std::filesystem::path& path);

}  // namespace whittle::imagegen
