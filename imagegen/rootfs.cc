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

#include "common/error.h"
#include "common/text.h"

namespace whittle::imagegen {
namespace {

constexpr std::size_t kLongestPath = 4095;  // Linux PATH_MAX without its NUL
constexpr std::size_t kLongestName = 255;   // Linux NAME_MAX
constexpr std::uint32_t kModeBits = 07777;
constexpr std::uint32_t kFolderMode = 0755;

[[noreturn]] void refuse(std::string_view path, std::string_view why) {
  throw Error(ErrorKind::usage, "", fmt::format("image path '{}' {}", printable(path), why));
}

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

std::vector<RootEntry> make_root(const std::vector<RootFile>& files,
                                 const std::vector<std::string>& folders) {
  // Keyed by path: in byte order a folder's path, being a prefix, comes before what is in it.
  std::map<std::string, RootEntry> root;

  const auto add_folder = [&](const std::string& path) {
    if (path.empty()) return;  // the root itself needs no entry
    const auto [at, added] = root.try_emplace(path, RootEntry{path, true, kFolderMode, ByteView()});
    if (!added && !at->second.is_folder) {
      refuse('/' + path, "is a file, but another path needs it to be a folder");
    }
  };
  const auto add_parents = [&](const std::string& path) {
    for (std::size_t i = path.find('/'); i != path.npos; i = path.find('/', i + 1)) {
      add_folder(path.substr(0, i));
    }
  };

  for (const RootFile& file : files) {
    const std::string path = normalise_path(file.path).substr(1);
    if (path.empty() || file.path.ends_with('/') || file.path.ends_with("/.")) {
      refuse(file.path, "names a folder, not a file");
    }
    if ((file.mode & ~kModeBits) != 0) {
      refuse(file.path, fmt::format("has the mode {:o}; 7777 is the largest", file.mode));
    }
    add_parents(path);
    const auto [at, added] =
        root.try_emplace(path, RootEntry{path, false, file.mode, ByteView(file.content)});
    if (!added) {
      refuse('/' + path, at->second.is_folder
                             ? "is a file, but another path needs it to be a folder"
                             : "is given twice");
    }
  }
  for (const std::string& folder : folders) {
    const std::string path = normalise_path(folder).substr(1);
    add_parents(path);
    add_folder(path);
  }

  std::vector<RootEntry> entries;
  entries.reserve(root.size());
  for (auto& [path, entry] : root) entries.push_back(std::move(entry));
  return entries;
}

}  // namespace whittle::imagegen
