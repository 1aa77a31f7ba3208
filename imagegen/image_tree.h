// SPDX-License-Identifier: MIT
//
// The files of an image as a container sees them: its layers merged in memory. Nothing is unpacked
// to disk.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/file_tree.h"
#include "imagegen/layer_contents.h"

namespace whittle::imagegen {

// Not thread-safe.
class ImageTree : public FileTree {
 public:
  // Where a file's content comes from: the number of the layer, in the order of `apply` from 0, and
  // the index of the entry in it.
  struct Origin {
    std::size_t layer = 0, entry = 0;
    friend auto operator<=>(const Origin&, const Origin&) = default;
  };

  ImageTree();

  // Merges the next layer. An entry that cannot be merged (a hard link to a missing file) goes to
  // `problem`, by path. Throws Error{refused} for more than two million files and folders; the tree
  // then has a part of the layer.
  void apply(const LayerContents& layer,
             const std::function<void(const std::string&, const Error&)>& problem);

  std::optional<TreeEntry> find(const std::string& path) const override;
  std::vector<std::string> names(const std::string& folder) const override;
  std::optional<Bytes> read(const std::string& path, std::uint64_t most) const override;
  std::shared_ptr<const LinkedObject> object(const std::string& path) const override;

  // Calls `visit` for every entry, in the order of paths, parents first. A file with several names
  // (hard links) is visited once for each name, with the same origin.
  using Visit = std::function<void(const std::string& path, const TreeEntry&, Origin,
                                   const Error* problem)>;  // null: none
  void for_each(const Visit& visit) const;

 private:
  struct Inode;
  struct Name {
    std::size_t layer = 0;  // that added the name
    std::shared_ptr<Inode> inode;
  };
  struct Inode {
    TreeEntry entry;
    Bytes start;
    std::shared_ptr<const LinkedObject> object;
    std::shared_ptr<const Error> problem;
    Origin origin;
    std::map<std::string, Name> children;  // of a folder
    // Of a folder: one more than the number of the layer that was the last to take out of it what
    // lower layers have.
    std::size_t pruned = 0;
  };

  std::shared_ptr<Inode> new_inode();
  Inode* walk_to_folder(std::string_view path, bool create);
  Inode* find_inode(std::string_view path) const;
  std::string apply_entry(const LayerEntry& entry, std::size_t index);
  std::string add(const LayerEntry& entry, std::size_t index);
  std::string link(const LayerEntry& entry);
  void remove(const std::string& path);
  bool prune(Name& name);
  bool prune(Inode& folder);

  std::shared_ptr<Inode> root_;
  std::size_t inodes_ = 0;  // that were made
  std::size_t layers_ = 0;  // the number of the layer that is being applied
  // Cache: the folder of the last look-up. Following a path looks up one name after the other.
  mutable std::string last_folder_;
  mutable Inode* last_inode_ = nullptr;
};

}  // namespace whittle::imagegen
