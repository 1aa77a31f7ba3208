// SPDX-License-Identifier: MIT
#include "imagegen/root_tree.h"

#include <algorithm>
#include <utility>

#include "common/elf.h"
#include "common/error.h"

namespace whittle::imagegen {
namespace {

constexpr std::uint32_t kRootMode = 0755;

TreeEntry tree_entry(const RootEntry& entry) {
  const auto type = entry.is_folder        ? TreeEntry::Type::folder
                    : entry.target.empty() ? TreeEntry::Type::file
                                           : TreeEntry::Type::symlink;
  return {.type = type,
          .mode = entry.mode,
          .owner = entry.owner.user,
          .group = entry.owner.group,
          .size = entry.content.size(),
          .target = entry.target};
}

}  // namespace

RootTree::RootTree(std::vector<RootEntry> root) {
  for (RootEntry& entry : root) {
    std::string path = "/" + entry.path;
    entries_.emplace(std::move(path), std::move(entry));
  }
}

const RootEntry* RootTree::entry(const std::string& path) const {
  const auto at = entries_.find(path);
  return at == entries_.end() ? nullptr : &at->second;
}

std::optional<TreeEntry> RootTree::find(const std::string& path) const {
  if (path == "/") return TreeEntry{.type = TreeEntry::Type::folder, .mode = kRootMode};
  const RootEntry* found = entry(path);
  return found == nullptr ? std::nullopt : std::optional(tree_entry(*found));
}

std::vector<std::string> RootTree::names(const std::string& folder) const {
  const std::string prefix = folder == "/" ? "/" : folder + "/";
  std::vector<std::string> out;
  for (auto at = entries_.lower_bound(prefix);
       at != entries_.end() && at->first.starts_with(prefix); ++at) {
    const std::string name = at->first.substr(prefix.size());
    if (name.find('/') == std::string::npos) out.push_back(name);
  }
  return out;
}

std::optional<Bytes> RootTree::read(const std::string& path, std::uint64_t most) const {
  const RootEntry* found = entry(path);
  if (found == nullptr || !tree_entry(*found).is_file()) return std::nullopt;
  const ByteView part = found->content.first(std::min<std::uint64_t>(found->content.size(), most));
  return Bytes(part.begin(), part.end());
}

std::shared_ptr<const LinkedObject> RootTree::object(const std::string& path) const {
  const auto [at, is_new] = objects_.try_emplace(path);
  const RootEntry* found = is_new ? entry(path) : nullptr;
  // Folders and links have no content.
  if (found == nullptr || !elf::has_magic(found->content)) return at->second;
  try {
    at->second = std::make_shared<const LinkedObject>(
        describe_object(elf::File::parse(found->content, path)));
  } catch (const Error&) {  // a damaged file is no program
  }
  return at->second;
}

std::vector<std::string> RootTree::files() const {
  std::vector<std::string> out;
  for (const auto& [path, entry] : entries_) {
    if (tree_entry(entry).is_file()) out.push_back(path);
  }
  return out;
}

}  // namespace whittle::imagegen
