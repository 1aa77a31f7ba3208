// SPDX-License-Identifier: MIT
//
// A root filesystem as programs in it see it, wherever it lies: in a folder of this machine, in the
// layers of an image, or in an image that is still to be written. Whether a program can start,
// where its libraries are and who a user is are questions to a tree.
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

  // What lies under that very name: if it is a link, that is not followed. The components before
  // the last are folders, as `resolve` gives them.
  virtual std::optional<TreeEntry> find(const std::string& path) const = 0;

  // What lies in a folder, sorted; nothing where it is no folder.
  virtual std::vector<std::string> names(const std::string& folder) const = 0;

  // A file's first bytes, at most `most`. Nothing where it is no file, or where its bytes are not
  // known: of an image only those are kept that somebody asks for.
  virtual std::optional<Bytes> read(const std::string& path, std::uint64_t most) const = 0;

  // Null where the file is not ELF, is damaged, or was not looked at.
  virtual std::shared_ptr<const LinkedObject> object(const std::string& path) const = 0;
};

// Where a path leads.
struct ResolvedPath {
  std::string path;  // without links
  TreeEntry entry;
  std::set<std::string> folders;  // that were searched on the way
};

// Follows symbolic links as the kernel does, an absolute one from the root of the tree, none out of
// it, at most 40. Nothing where the path leads nowhere, or through more than `most` components,
// those of links counted. A path that is not absolute is taken from the root.
std::optional<ResolvedPath> resolve(const FileTree& tree, std::string_view path, int most = 1000);

// A folder of this machine as the root of a tree. Not thread-safe. What cannot be read is not
// there.
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
