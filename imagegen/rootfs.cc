// SPDX-License-Identifier: MIT
//
// The root filesystem of a scratch image: what it holds is exactly what is said here, so this is
// the place where a path that would end up elsewhere has to be stopped. Tar takes any name, and
// those who unpack a layer differ in what they do with "..", with doubled names (the last wins, or
// the first, or an error) and with a file where a folder has to be. None of these is ever written.
//
// One name is special: in a layer, ".wh.NAME" means "delete NAME of the layers below"
// (OCI image-spec, layer.md, "Whiteouts"). A file of that name would vanish while unpacking.
#include "imagegen/rootfs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "common/error.h"
#include "common/text.h"

namespace whittle::imagegen {
namespace {

constexpr std::size_t kLongestPath = 4095;  // Linux PATH_MAX without its NUL
constexpr std::size_t kLongestName = 255;   // Linux NAME_MAX
constexpr std::uint32_t kModeBits = 07777;
constexpr std::uint32_t kLinkMode = 0777;  // what every link has on Linux
constexpr std::uint32_t kLargestOwner = 0x7fffffff;

[[noreturn]] void refuse(std::string_view path, std::string_view why) {
  throw Error(ErrorKind::usage, "", fmt::format("image path '{}' {}", printable(path), why));
}

// The components of a path, without the empty ones.
std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin) parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// In the container ".." of the root is the root, so that a link which leads above it ends up where
// nobody expects.
void check_target(const RootLink& link) {
  const std::string& target = link.target;
  const auto refuse_target = [&](std::string_view why) {
    refuse(link.path, fmt::format("is a symbolic link to '{}', {}", printable(target), why));
  };
  if (target.empty()) refuse_target("which is no path");
  if (target.size() > kLongestPath) refuse_target("which is longer than Linux takes");
  if (target.find('\0') != target.npos || !is_utf8(target)) refuse_target("which is not UTF-8");
  std::size_t depth = target.starts_with('/') ? 0 : split(link.path).size() - 1;
  for (const std::string_view part : split(target)) {
    if (part == ".") continue;
    if (part != "..") {
      depth++;
    } else if (depth-- == 0) {
      refuse_target("which leads above the root of the image");
    }
  }
}

class RootMaker {
 public:
  void add_file(const RootFile& file) {
    if (file.path.ends_with('/') || file.path.ends_with("/.")) {
      refuse(file.path, "names a folder, not a file");
    }
    check_attributes(file.path, file.mode, file.owner);
    add_leaf({.path = relative(file.path),
              .is_folder = false,
              .mode = file.mode,
              .content = ByteView(file.content),
              .owner = file.owner});
  }

  void add_link(const RootLink& link) {
    check_attributes(link.path, kLinkMode, link.owner);
    std::string path = relative(link.path);
    check_target(link);
    add_leaf({.path = std::move(path),
              .is_folder = false,
              .mode = kLinkMode,
              .content = {},
              .owner = link.owner,
              .target = link.target});
  }

  void add_folder(const RootFolder& folder) {
    check_attributes(folder.path, folder.mode, folder.owner);
    const std::string path = relative(folder.path);
    if (path.empty()) refuse(folder.path, "is the root, which every container has of its own");
    const auto [given, is_new] = given_.emplace(path, folder);
    if (!is_new && (given->second.mode != folder.mode || given->second.owner != folder.owner)) {
      refuse('/' + path, "is given twice, with different modes or owners");
    }
    RootEntry& entry = need_folder(path);
    entry.mode = folder.mode;
    entry.owner = folder.owner;
  }

  // Adds a folder as a parent is added, unless it is there.
  void need_folder_at(std::string_view path) {
    const std::string folder = normalise_path(path).substr(1);
    if (!folder.empty()) need_folder(folder);
  }

  std::vector<RootEntry> finish() {
    std::vector<RootEntry> entries;
    entries.reserve(root_.size());
    for (auto& [path, entry] : root_) entries.push_back(std::move(entry));
    return entries;
  }

 private:
  static std::string relative(std::string_view path) { return normalise_path(path).substr(1); }

  static void check_attributes(std::string_view path, std::uint32_t mode, const Owner& owner) {
    if ((mode & ~kModeBits) != 0) {
      refuse(path, fmt::format("has the mode {:o}; 7777 is the largest", mode));
    }
    if (owner.user > kLargestOwner || owner.group > kLargestOwner) {
      refuse(path, fmt::format("has the owner {}:{}; {} is the largest number", owner.user,
                               owner.group, kLargestOwner));
    }
  }

  static std::string_view kind_of(const RootEntry& leaf) {
    return leaf.target.empty() ? "file" : "symbolic link";
  }

  void add_leaf(const RootEntry& leaf) {
    if (leaf.path.empty()) refuse("/", "is the root, not a file");
    add_parents(leaf.path);
    const auto [at, is_new] = root_.try_emplace(leaf.path, leaf);
    if (is_new) return;
    if (!at->second.is_folder) refuse('/' + leaf.path, "is given twice");
    refuse('/' + leaf.path,
           fmt::format("is a {}, but another path needs it to be a folder", kind_of(leaf)));
  }

  RootEntry& need_folder(const std::string& path) {
    add_parents(path);
    RootEntry folder{.path = path, .is_folder = true, .mode = RootFolder().mode, .content = {}};
    RootEntry& entry = root_.try_emplace(path, std::move(folder)).first->second;
    if (!entry.is_folder) {
      refuse('/' + path,
             fmt::format("is a {}, but another path needs it to be a folder", kind_of(entry)));
    }
    return entry;
  }

  void add_parents(const std::string& path) {
    if (const std::size_t slash = path.rfind('/'); slash != path.npos) {
      need_folder(path.substr(0, slash));
    }
  }

  // Keyed by path: in byte order a folder's path, being a prefix, comes before what is in it.
  std::map<std::string, RootEntry> root_;
  std::map<std::string, RootFolder> given_;  // folders that were asked for by themselves
};

}  // namespace

std::string normalise_path(std::string_view path) {
  if (path.empty() || path.front() != '/') refuse(path, "must begin with '/'");
  if (path.find('\0') != path.npos) refuse(path, "has a NUL byte");
  if (!is_utf8(path)) refuse(path, "is not UTF-8");
  std::string out;
  for (std::size_t begin = 1; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view component = path.substr(begin, end - begin);
    begin = end + 1;
    if (component.empty() || component == ".") continue;
    if (component == "..") refuse(path, "has '..'; write it without");
    if (component.size() > kLongestName) {
      refuse(path,
             fmt::format("has a name of {} bytes; Linux takes {}", component.size(), kLongestName));
    }
    if (component.starts_with(".wh.")) {
      refuse(path, "has a name that begins with '.wh.', which means deletion in an image layer");
    }
    out += '/';
    out += component;
  }
  if (out.size() > kLongestPath) {
    refuse(path, fmt::format("has {} bytes; Linux takes {}", out.size(), kLongestPath));
  }
  return out.empty() ? "/" : out;
}

std::vector<RootEntry> make_root(const ImageSpec& spec) {
  RootMaker maker;
  for (const RootFile& file : spec.files) maker.add_file(file);
  for (const RootLink& link : spec.links) maker.add_link(link);
  for (const RootFolder& folder : spec.folders) maker.add_folder(folder);
  // The working folder is made here, as a Dockerfile's WORKDIR does: not every run time makes it.
  maker.need_folder_at(spec.working_dir);
  return maker.finish();
}

}  // namespace whittle::imagegen
