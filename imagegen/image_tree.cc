// SPDX-License-Identifier: MIT
//
// Layers are merged as engines merge them with an overlay file system: each layer is unpacked by
// itself, then upper layers hide lower ones. So a link of the same layer is followed ("lib" →
// "usr/lib", then "lib/x" is "usr/lib/x"); but if a layer has "lib/x" and "lib" is a link of a
// lower layer, "lib" becomes a folder. Names and files are separate, as in a file system: a
// whiteout of one hard link leaves the others.
//
// A layer's whiteouts apply to lower layers only, whatever the order of its entries. So each name
// has the number of the layer that added it.
#include "imagegen/image_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace whittle::imagegen {
namespace {

constexpr std::uint32_t kImplicitFolderMode = 0755;
constexpr std::size_t kLongestPath = 4095;  // Linux: PATH_MAX without its NUL
constexpr std::size_t kMaxInodes = 2'000'000;
constexpr int kMaxLinks = 16;           // followed for one name of a layer
constexpr int kMaxLinkComponents = 64;  // of each

std::string_view parent_of(std::string_view path) {
  return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
}
std::string base_of(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

// Calls `take` with each component of a path from the root until it returns false.
template <typename Take>
void for_each_component(std::string_view path, Take take) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (!part.empty() && !take(std::string(part))) return;
  }
}

}  // namespace

ImageTree::ImageTree() : root_(std::make_shared<Inode>()) {
  root_->entry = {.type = TreeEntry::Type::folder, .mode = kImplicitFolderMode};
}

ImageTree::Inode* ImageTree::find_inode(std::string_view path) const {
  if (path == "/") return root_.get();
  const std::string_view parent = parent_of(path);
  if (last_inode_ == nullptr || last_folder_ != parent) {
    Inode* folder = root_.get();
    for_each_component(parent, [&](const std::string& part) {
      const auto at = folder->children.find(part);
      folder = at == folder->children.end() ? nullptr : at->second.inode.get();
      return folder != nullptr;
    });
    if (folder == nullptr) return nullptr;
    last_folder_ = parent;
    last_inode_ = folder;
  }
  const auto at = last_inode_->children.find(base_of(path));
  return at == last_inode_->children.end() ? nullptr : at->second.inode.get();
}

std::optional<TreeEntry> ImageTree::find(const std::string& path) const {
  const Inode* inode = find_inode(path);
  return inode == nullptr ? std::nullopt : std::optional(inode->entry);
}

std::vector<std::string> ImageTree::names(const std::string& folder) const {
  std::vector<std::string> out;
  if (const Inode* inode = find_inode(folder)) {
    for (const auto& [name, child] : inode->children) out.push_back(name);
  }
  return out;
}

std::optional<Bytes> ImageTree::read(const std::string& path, std::uint64_t most) const {
  const Inode* inode = find_inode(path);
  if (inode == nullptr || !inode->entry.is_file()) return std::nullopt;
  const std::uint64_t wanted = std::min(most, inode->entry.size);
  if (wanted > inode->start.size()) return std::nullopt;
  return Bytes(inode->start.begin(), inode->start.begin() + static_cast<std::ptrdiff_t>(wanted));
}

std::shared_ptr<const LinkedObject> ImageTree::object(const std::string& path) const {
  const Inode* inode = find_inode(path);
  return inode == nullptr ? nullptr : inode->object;
}

std::shared_ptr<ImageTree::Inode> ImageTree::new_inode() {
  if (++inodes_ > kMaxInodes) {
    throw Error(ErrorKind::refused, "",
                fmt::format("the image has more than {} files and folders", kMaxInodes));
  }
  return std::make_shared<Inode>();
}

// The folder of that path in the layer that is being applied; links of this layer are followed.
// With
// `create`, missing folders are made, in place of files of lower layers. Null if the folder is
// missing or the path is too long.
ImageTree::Inode* ImageTree::walk_to_folder(std::string_view path, bool create) {
  Inode* folder = root_.get();
  std::string walked;
  int links = 0;
  for_each_component(path, [&](const std::string& part) {
    walked += '/' + part;
    auto at = folder->children.find(part);
    if (at != folder->children.end() && at->second.layer == layers_ && links < kMaxLinks &&
        at->second.inode->entry.type == TreeEntry::Type::symlink) {
      links++;
      const auto target = resolve(*this, walked, kMaxLinkComponents);
      if (target && target->entry.is_folder()) {
        walked = target->path == "/" ? "" : target->path;
        folder = find_inode(target->path);
        return true;
      }
    }
    const bool is_there = at != folder->children.end() && at->second.inode->entry.is_folder();
    if (!is_there && (!create || walked.size() > kLongestPath)) {
      folder = nullptr;
      return false;
    }
    Name& name = folder->children[part];
    if (!is_there) {
      last_inode_ = nullptr;
      name = {layers_, new_inode()};
      name.inode->entry = {.type = TreeEntry::Type::folder, .mode = kImplicitFolderMode};
    }
    folder = name.inode.get();
    return true;
  });
  return folder;
}

std::string ImageTree::add(const LayerEntry& added, std::size_t index) {
  if (added.path == "/") {
    if (!added.entry.is_folder()) return "is the root, but no folder";
    root_->entry = added.entry;
    return {};
  }
  Inode* folder = walk_to_folder(parent_of(added.path), true);
  if (folder == nullptr) return "has a longer path than Linux takes";
  Name& name = folder->children[base_of(added.path)];
  name.layer = layers_;
  if (added.entry.is_folder() && name.inode != nullptr && name.inode->entry.is_folder()) {
    name.inode->entry = added.entry;
    return {};
  }
  name.inode = new_inode();
  name.inode->entry = added.entry;
  name.inode->start = added.start;
  name.inode->object = added.object;
  name.inode->problem = added.problem;
  name.inode->origin = {layers_, index};
  return {};
}

std::string ImageTree::link(const LayerEntry& added) {
  std::shared_ptr<Inode> inode;
  if (Inode* from = walk_to_folder(parent_of(added.target), false)) {
    const auto at = from->children.find(base_of(added.target));
    if (at != from->children.end()) inode = at->second.inode;
  }
  if (inode == nullptr || inode->entry.is_folder()) {
    return "is a hard link to " + added.target + ", which is no file in the image";
  }
  Inode* folder = walk_to_folder(parent_of(added.path), true);
  if (folder == nullptr || added.path == "/") return "has a longer path than Linux takes";
  folder->children[base_of(added.path)] = {layers_, inode};
  return {};
}

// Removes what lower layers have under a name. True if nothing is left of it.
bool ImageTree::prune(Name& name) {
  const bool is_empty = !name.inode->entry.is_folder() || prune(*name.inode);
  if (name.layer == layers_) return false;
  if (!is_empty) name.layer = layers_;  // something of this layer is in it
  return is_empty;
}

// The same for everything in a folder. True if the folder is empty then.
// Once for each layer: what comes into the folder afterwards is of that layer. So a layer of many
// whiteouts costs no more than one walk over the tree.
bool ImageTree::prune(Inode& folder) {
  const bool is_done = std::exchange(folder.pruned, layers_ + 1) == layers_ + 1;
  if (is_done) return folder.children.empty();
  for (auto at = folder.children.begin(); at != folder.children.end();) {
    at = prune(at->second) ? folder.children.erase(at) : std::next(at);
  }
  return folder.children.empty();
}

void ImageTree::remove(const std::string& path) {
  Inode* folder = walk_to_folder(parent_of(path), false);
  if (folder == nullptr) return;
  const auto at = folder->children.find(base_of(path));
  if (at != folder->children.end() && prune(at->second)) folder->children.erase(at);
}

// What is wrong with the entry; empty if it was merged.
std::string ImageTree::apply_entry(const LayerEntry& entry, std::size_t index) {
  switch (entry.kind) {
    case LayerEntry::Kind::add:
      return add(entry, index);
    case LayerEntry::Kind::hard_link:
      return link(entry);
    case LayerEntry::Kind::whiteout:
      remove(entry.path);
      return {};
    case LayerEntry::Kind::opaque:
      if (Inode* folder = walk_to_folder(entry.path, true)) prune(*folder);
  }
  return {};
}

void ImageTree::apply(const LayerContents& layer,
                      const std::function<void(const std::string&, const Error&)>& problem) {
  for (std::size_t i = 0; i < layer.entries.size(); i++) {
    const LayerEntry& entry = layer.entries[i];
    last_inode_ = nullptr;
    const std::string failure = apply_entry(entry, i);
    if (!failure.empty()) problem(entry.path, Error(ErrorKind::corrupt, "", failure));
  }
  last_inode_ = nullptr;
  layers_++;
}

void ImageTree::for_each(const Visit& visit) const {
  const std::function<void(const Inode&, const std::string&)> walk = [&](const Inode& folder,
                                                                         const std::string& path) {
    for (const auto& [name, child] : folder.children) {
      const std::string here = path + "/" + name;
      visit(here, child.inode->entry, child.inode->origin, child.inode->problem.get());
      if (child.inode->entry.is_folder()) walk(*child.inode, here);
    }
  };
  walk(*root_, "");
}

}  // namespace whittle::imagegen
