// SPDX-License-Identifier: MIT
//
// A root filesystem as its programs see it: a folder of this machine, the merged layers of an
// image, or an image before it is written. Code that asks whether a program can start, where its
// libraries are or who a user is works on a tree, whichever of the three it is.
//
// Paths are absolute in the tree, without ".", ".." and doubled slashes; "/" is its root.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "common/linked_object.h"

namespace whittle {

struct TreeEntry {
  enum class Type : std::uint8_t { file, folder, symlink, other };
  Type type = Type::other;
  std::uint32_t mode = 0;              // permission bits, 07777
  std::uint64_t owner = 0, group = 0;  // by number
  std::uint64_t size = 0;              // bytes, of a file
  std::string target = {};             // of a symlink

  bool is_file() const { return type == Type::file; }
  bool is_folder() const { return type == Type::folder; }
};

class FileTree {
 public:
  virtual ~FileTree() = default;

  // The entry of that name; a link is not followed. The components before the last must be folders
  // (not links), as `resolve` returns them.
  virtual std::optional<TreeEntry> find(const std::string& path) const = 0;

  // The names in a folder, sorted; empty if it is not a folder.
  virtual std::vector<std::string> names(const std::string& folder) const = 0;

  // A file's first bytes, at most `most`. Nothing if it is not a file, or if the tree does not know
  // these bytes: a tree of an image keeps only what its reader asked for.
  virtual std::optional<Bytes> read(const std::string& path, std::uint64_t most) const = 0;

  // Null if the file is not ELF, is damaged, or was not read.
  virtual std::shared_ptr<const LinkedObject> object(const std::string& path) const = 0;
};

// Where a path leads.
struct ResolvedPath {
  std::string path;  // without links
  TreeEntry entry;
  std::set<std::string> folders;  // that were searched on the way
};

// Follows symbolic links as the kernel does, an absolute one from the root of the tree, none out of
// it, at most 40. Nothing if the path leads nowhere, or through more than `most` components,
// counting those of links. A relative path starts at the root.
std::optional<ResolvedPath> resolve(const FileTree& tree, std::string_view path, int most = 1000);

// A folder of this machine as the root of a tree. What cannot be read counts as missing. Not
// thread-safe.
class FolderTree : public FileTree {
 public:
  // Throws Error{io} where the folder is none or cannot be read.
  explicit FolderTree(const std::filesystem::path& root);

  std::optional<TreeEntry> find(const std::string& path) const override;
  std::vector<std::string> names(const std::string& folder) const override;
  std::optional<Bytes> read(const std::string& path, std::uint64_t most) const override;
  std::shared_ptr<const LinkedObject> object(const std::string& path) const override;

  const std::filesystem::path& root() const { return root_; }  // without links

 private:
  std::filesystem::path root_;
  mutable std::map<std::string, std::shared_ptr<const LinkedObject>> objects_;  // by path
};

}  // namespace whittle
