// SPDX-License-Identifier: MIT
//
// The contents of a layer. A layer is a tar of what it adds. A name ".wh.x" removes x of the layers
// below, ".wh..wh..opq" all of their files in its folder. A layer is read once even if several
// images share it; `check_layer` then compares it with what each image names. Source: OCI
// image-spec, layer.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes.h"
#include "common/error.h"
#include "common/file_tree.h"
#include "imagegen/byte_source.h"
#include "imagegen/decompressor.h"

namespace whittle::imagegen {

struct LayerEntry {
  enum class Kind : std::uint8_t { add, hard_link, whiteout, opaque };
  Kind kind = Kind::add;
  std::string path;    // "/usr/bin/app": what is added, removed, or emptied
  TreeEntry entry;     // of what is added
  std::string target;  // of a hard link, as `path`
  // The first bytes of a file that are kept: all of a file that LayerVisitor::keeps, 256 of a
  // script, 4 of another executable.
  Bytes start = {};
  std::shared_ptr<const LinkedObject> object = {};  // of an ELF file; null if it is damaged
  std::shared_ptr<const Error> problem = {};        // why the content was not read
};

struct LayerContents {
  std::vector<LayerEntry> entries;  // in their order; all of them unless there is an error
  std::uint64_t size = 0;           // bytes of the blob
  std::string digest;               // of the blob, "sha256:…"
  std::string diff_id;              // of the tar in it; empty if it was not read to its end
  std::optional<Error> error;       // why not all of it could be read
  // Entries that cannot be in a tree, by name: they lead out of the root, for example.
  std::vector<std::pair<std::string, Error>> problems;
};

struct LayerVisitor {
  // Whether LayerEntry::start keeps the whole content of a file that is not a program. Files of
  // more than 1 MiB are never kept.
  std::function<bool(const std::string& path)> keeps;
  // Takes the content of an ELF file. `index` is the entry's in LayerContents.
  std::function<void(std::size_t index, const LayerEntry&, Bytes content)> take;
};

// Reads the layers of one path, which may belong to several images.
class LayerReader {
 public:
  // Beyond what the layers' sizes allow, all of them together may unpack to `allowance` bytes.
  explicit LayerReader(UnpackingLimit limit = {}, std::uint64_t allowance = std::uint64_t{4} << 30)
      : limit_(limit), allowance_(allowance) {}

  // `size` is the blob's as announced, `name` is for messages. Never throws for any content: what
  // is wrong with a layer is part of what is returned. Files of more than 1 GiB are not taken. What
  // unpacks to far more than its size is not read to its end, nor is a layer of more than two
  // million entries; one of more than 64 GiB is not read at all.
  LayerContents read(const ByteSource& blob, std::uint64_t size, const std::string& name,
                     const LayerVisitor& visitor);

 private:
  UnpackingLimit limit_;
  std::uint64_t allowance_;  // that is left
};

}  // namespace whittle::imagegen
