// SPDX-License-Identifier: MIT
//
// A root filesystem that a test writes down.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "common/error.h"
#include "common/file_tree.h"

namespace whittle::test {

class MemoryTree : public FileTree {
 public:
  MemoryTree() { nodes_["/"] = {{.type = TreeEntry::Type::folder, .mode = 0755}, {}}; }

  MemoryTree& folder(const std::string& path, std::uint32_t mode = 0755, std::uint64_t owner = 0) {
    return put(path, {.type = TreeEntry::Type::folder, .mode = mode, .owner = owner}, {});
  }
  MemoryTree& file(const std::string& path, ByteView content, std::uint32_t mode = 0755,
                   std::uint64_t owner = 0, std::uint64_t group = 0) {
    return put(path,
               {.type = TreeEntry::Type::file,
                .mode = mode,
                .owner = owner,
                .group = group,
                .size = content.size()},
               {content.begin(), content.end()});
  }
  MemoryTree& file(const std::string& path, std::string_view content, std::uint32_t mode = 0644) {
    return file(path, as_bytes(content), mode);
  }
  MemoryTree& link(const std::string& path, const std::string& target) {
    return put(path, {.type = TreeEntry::Type::symlink, .mode = 0777, .target = target}, {});
  }
  // A file whose bytes were not kept.
  MemoryTree& unread(const std::string& path, std::uint32_t mode = 0755) {
    put(path, {.type = TreeEntry::Type::file, .mode = mode, .size = 1}, {});
    unread_.insert(path);
    return *this;
  }

  std::optional<TreeEntry> find(const std::string& path) const override {
    const auto at = nodes_.find(path);
    return at == nodes_.end() ? std::nullopt : std::optional(at->second.entry);
  }
  std::vector<std::string> names(const std::string& folder) const override {
    const std::string prefix = folder == "/" ? "/" : folder + "/";
    std::vector<std::string> out;
    for (const auto& [path, node] : nodes_) {
      if (path.starts_with(prefix) && path.size() > prefix.size() &&
          path.find('/', prefix.size()) == std::string::npos) {
        out.push_back(path.substr(prefix.size()));
      }
    }
    return out;
  }
  std::optional<Bytes> read(const std::string& path, std::uint64_t most) const override {
    const auto at = nodes_.find(path);
    if (at == nodes_.end() || !at->second.entry.is_file() || unread_.contains(path)) {
      return std::nullopt;
    }
    Bytes bytes = at->second.content;
    bytes.resize(std::min<std::uint64_t>(bytes.size(), most));
    return bytes;
  }
  std::shared_ptr<const LinkedObject> object(const std::string& path) const override {
    const auto bytes = read(path, UINT64_MAX);
    if (!bytes || !elf::has_magic(*bytes)) return nullptr;
    try {
      return std::make_shared<const LinkedObject>(describe_object(elf::File::parse(*bytes, path)));
    } catch (const Error&) {
      return nullptr;
    }
  }

 private:
  struct Node {
    TreeEntry entry;
    Bytes content;
  };
  MemoryTree& put(const std::string& path, TreeEntry entry, Bytes content) {
    for (std::size_t i = path.find('/', 1); i != std::string::npos; i = path.find('/', i + 1)) {
      nodes_.try_emplace(path.substr(0, i),
                         Node{{.type = TreeEntry::Type::folder, .mode = 0755}, {}});
    }
    nodes_[path] = {std::move(entry), std::move(content)};
    return *this;
  }

  std::map<std::string, Node> nodes_;
  std::set<std::string> unread_;
};

}  // namespace whittle::test
