// SPDX-License-Identifier: MIT
//
// The root filesystem of a new image, before it is written.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/file_tree.h"
#include "imagegen/image.h"
#include "imagegen/rootfs.h"

namespace whittle::imagegen {

// Not thread-safe.
class RootTree : public FileTree {
 public:
  // What make_root returned; the contents of files must outlive the tree.
  explicit RootTree(std::vector<RootEntry> root);
  // What the spec puts into the image; it must outlive the tree. Throws as make_root does.
  explicit RootTree(const ImageSpec& spec) : RootTree(make_root(spec)) {}

  std::optional<TreeEntry> find(const std::string& path) const override;
  std::vector<std::string> names(const std::string& folder) const override;
  std::optional<Bytes> read(const std::string& path, std::uint64_t most) const override;
  std::shared_ptr<const LinkedObject> object(const std::string& path) const override;

  // Paths of all files, sorted.
  std::vector<std::string> files() const;

 private:
  const RootEntry* entry(const std::string& path) const;

  std::map<std::string, RootEntry> entries_;  // by absolute path; all but the root itself
  mutable std::map<std::string, std::shared_ptr<const LinkedObject>> objects_;
};

}  // namespace whittle::imagegen
