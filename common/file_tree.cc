// SPDX-License-Identifier: MIT
#include "common/file_tree.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "common/error.h"
#include "common/file.h"

namespace whittle {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxLinks = 40;  // Linux: MAXSYMLINKS
constexpr std::uint64_t kMaxObjectBytes = std::uint64_t{1} << 30;

// Pushes the components of `path`, the first of them last.
void push_components(std::string_view path, std::vector<std::string>& stack) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (!part.empty() && part != ".") parts.emplace_back(part);
  }
  stack.insert(stack.end(), parts.rbegin(), parts.rend());
}

TreeEntry::Type type_of(mode_t mode) {
  if (S_ISREG(mode)) return TreeEntry::Type::file;
  if (S_ISDIR(mode)) return TreeEntry::Type::folder;
  return S_ISLNK(mode) ? TreeEntry::Type::symlink : TreeEntry::Type::other;
}

}  // namespace

std::optional<ResolvedPath> resolve(const FileTree& tree, std::string_view path, int most) {
  std::vector<std::string> left;  // components still to be walked, the next one last
  push_components(path, left);
  const auto root = tree.find("/");
  if (!root) return std::nullopt;
  ResolvedPath out{"/", *root, {}};
  // A slash at the end asks for a folder.
  const bool wants_folder = path.ends_with('/') || path.ends_with("/.");
  int links = 0;
  while (!left.empty()) {
    const std::string part = std::move(left.back());
    left.pop_back();
    if (!out.entry.is_folder() || --most < 0) return std::nullopt;
    out.folders.insert(out.path);
    if (part == "..") {
      out.path.erase(std::max<std::size_t>(out.path.rfind('/'), 1));
      out.entry = tree.find(out.path).value_or(TreeEntry());
      continue;
    }
    const std::string next = (out.path == "/" ? "" : out.path) + "/" + part;
    auto entry = tree.find(next);
    if (!entry) return std::nullopt;
    if (entry->type != TreeEntry::Type::symlink) {
      out.path = next;
      out.entry = std::move(*entry);
      continue;
    }
    if (++links > kMaxLinks || entry->target.empty()) return std::nullopt;
    if (entry->target.front() == '/') {
      out.path = "/";
      out.entry = *root;
    }
    push_components(entry->target, left);
  }
  if (wants_folder && !out.entry.is_folder()) return std::nullopt;
  return out;
}

FolderTree::FolderTree(const fs::path& root) {
  std::error_code error;
  root_ = fs::canonical(root, error);
  if (!error && !fs::is_directory(root_, error) && !error) {
    error = std::make_error_code(std::errc::not_a_directory);
  }
  if (error) throw io_error(root.native(), "cannot use it as a root", error.value());
}

std::optional<TreeEntry> FolderTree::find(const std::string& path) const {
  struct stat status {};
  const std::string here = root_.native() + path;
  if (::lstat(here.c_str(), &status) != 0) return std::nullopt;
  TreeEntry entry{.type = type_of(status.st_mode),
                  .mode = status.st_mode & 07777,
                  .owner = status.st_uid,
                  .group = status.st_gid,
                  .size = static_cast<std::uint64_t>(status.st_size)};
  if (entry.type == TreeEntry::Type::symlink) {
    std::error_code error;
    entry.target = fs::read_symlink(here, error).native();
  }
  return entry;
}

std::vector<std::string> FolderTree::names(const std::string& folder) const {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(root_.native() + folder, error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename().native());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<Bytes> FolderTree::read(const std::string& path, std::uint64_t most) const {
  try {
    const OpenedFile file = open_file(root_.native() + path);
    Bytes bytes(std::min(file.status.size, most));
    std::size_t have = 0;
    ssize_t n = 1;
    while (have < bytes.size() && n > 0) {
      n = ::pread(file.descriptor.get(), bytes.data() + have, bytes.size() - have,
                  static_cast<off_t>(have));
      if (n > 0) have += static_cast<std::size_t>(n);
    }
    if (n < 0) return std::nullopt;
    bytes.resize(have);
    return bytes;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::shared_ptr<const LinkedObject> FolderTree::object(const std::string& path) const {
  const auto [it, is_new] = objects_.try_emplace(path);
  if (!is_new) return it->second;
  try {
    const LoadedFile loaded = read_file(root_.native() + path, kMaxObjectBytes);
    if (elf::has_magic(loaded.bytes)) {
      it->second = std::make_shared<const LinkedObject>(
          describe_object(elf::File::parse(loaded.bytes, path)));
    }
  } catch (const Error&) {
  }
  return it->second;
}

}  // namespace whittle
