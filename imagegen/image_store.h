// SPDX-License-Identifier: MIT
//
// Where the files of an image lie: in a folder, or in a tar, compressed or not. Names are relative
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

  // A document, of at most 4 MiB. Nothing where there is none. Throws Error{refused} where it is
  // larger, Error{corrupt} where it is no file or where several have that name.
  virtual std::optional<Bytes> read(const std::string& name) = 0;

  virtual bool contains(const std::string& name) = 0;

  // Visits those of the files that are there, each once, in whatever order costs the least.
  virtual void visit(const std::set<std::string>& names, const Visit& visit) = 0;

  // Whether one call for many files costs less than many calls.
  virtual bool is_sequential() const = 0;
};

// Null for what is neither a folder nor a tar. Throws Error{io}, and Error{corrupt} for a tar that
// is damaged beyond its first entry.
std::unique_ptr<ImageStore> open_store(const std::filesystem::path& path);

}  // namespace whittle::imagegen
