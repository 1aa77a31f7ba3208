// SPDX-License-Identifier: MIT
//
// A folder that is added may hold anything, and the image is read by somebody else's machine. What
// is a file, a folder or a symbolic link here is the same there, with the permission bits that it
// has here. Owners are not taken over: who owns a file on the machine that builds means nothing in
// the image, and the same files checked out by another user should give the same image.
//
// A mode that is given is meant for the files. A folder with the mode of a file could not be
// entered, so folders may also be searched by those who may read them, as `chmod -R a+rX` has it.
#include "ship/added_content.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>
#include <utility>

#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include "imagegen/rootfs.h"
#include "ship/added_file.h"

namespace whittle::ship {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = kMaxFileBytes;  // of all added files: they are held in memory
constexpr std::size_t kMostEntries = 100000;
constexpr std::uint32_t kPermissions = 0777, kSticky = 01000, kPrivileges = 06000;
constexpr std::uint32_t kDefaultFileMode = 0644;

class Content {
 public:
  explicit Content(imagegen::ImageSpec& spec) : spec_(spec) {}

  // A folder that is named in `add_dir` is as it says, whatever folder is added to its place.
  void add_folder(imagegen::RootFolder folder) {
    named_.insert(imagegen::normalise_path(folder.path));
    spec_.folders.push_back(std::move(folder));
  }

  void add(const AddedFile& added, const fs::path& source) {
    added_ = &added;
    struct stat status {};
    if (::stat(source.c_str(), &status) != 0) throw io_error(source.native(), "cannot stat", errno);
    if (S_ISDIR(status.st_mode)) {
      add_tree(source, added.destination, status);
    } else {
      add_file(source, added.destination, status, added.mode.value_or(kDefaultFileMode));
    }
  }

  std::vector<std::string> warnings() {
    std::vector<std::string> out;
    if (!privileged_.empty()) {
      out.push_back(fmt::format(
          "{} is added without its set-uid and set-gid bits{}", printable(privileged_.front()),
          privileged_.size() == 1 ? "" : fmt::format(", and {} more", privileged_.size() - 1)));
    }
    return out;
  }

 private:
  void add_file(const fs::path& source, const std::string& destination, const struct stat& status,
                std::uint32_t mode) {
    count(source, static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0)));
    spec_.files.push_back({.path = destination,
                           .content = read_file(source).bytes,
                           .mode = mode,
                           .owner = added_->owner});
  }

  void add_tree(const fs::path& source, const std::string& destination, const struct stat& status) {
    count(source, 0);
    const std::string path = imagegen::normalise_path(destination);
    if (path != "/" && !named_.contains(path)) {
      spec_.folders.push_back(
          {.path = path, .mode = folder_mode(status.st_mode), .owner = added_->owner});
    }
    for (const std::string& name : names_in(source)) {
      const fs::path child = source / name;
      const std::string child_path = (path == "/" ? "" : path) + '/' + name;
      struct stat child_status {};
      if (::lstat(child.c_str(), &child_status) != 0) {
        throw io_error(child.native(), "cannot stat", errno);
      }
      const mode_t type = child_status.st_mode & S_IFMT;
      if (type == S_IFDIR) {
        add_tree(child, child_path, child_status);
      } else if (type == S_IFLNK) {
        add_link(child, child_path);
      } else if (type == S_IFREG) {
        add_file(child, child_path, child_status, file_mode(child, child_status.st_mode));
      } else {
        throw Error(ErrorKind::refused, child.native(),
                    "is neither a file, a folder nor a symbolic link; an image cannot have it, so "
                    "keep it out of the folder to add");
      }
    }
  }

  void add_link(const fs::path& source, const std::string& destination) {
    count(source, 0);
    std::error_code error;
    const fs::path target = fs::read_symlink(source, error);
    if (error) throw io_error(source.native(), "cannot read the symbolic link", error.value());
    spec_.links.push_back({.path = destination, .target = target.native(), .owner = added_->owner});
  }

  static std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error);
         !error && entry != fs::directory_iterator(); entry.increment(error)) {
      names.push_back(entry->path().filename().native());
    }
    if (error) throw io_error(folder.native(), "cannot list the folder", error.value());
    std::sort(names.begin(), names.end());
    return names;
  }

  std::uint32_t file_mode(const fs::path& source, mode_t on_disk) {
    if (added_->mode) return *added_->mode;
    if ((on_disk & kPrivileges) != 0) privileged_.push_back(source.native());
    return on_disk & kPermissions;
  }

  std::uint32_t folder_mode(mode_t on_disk) const {
    if (!added_->mode) return on_disk & (kPermissions | kSticky);
    const std::uint32_t permissions = *added_->mode & kPermissions;
    return permissions | (permissions & 0444) >> 2;
  }

  void count(const fs::path& source, std::uint64_t bytes) {
    bytes_ += bytes;
    if (++entries_ > kMostEntries) {
      throw Error(ErrorKind::refused, source.native(),
                  fmt::format("is one file more than the {} that an image takes; add a smaller "
                              "folder",
                              kMostEntries));
    }
    if (bytes_ > kMostBytes) {
      throw Error(ErrorKind::refused, source.native(),
                  fmt::format("makes more than the {} bytes that an image takes; add a smaller "
                              "folder",
                              kMostBytes));
    }
  }

  imagegen::ImageSpec& spec_;
  const AddedFile* added_ = nullptr;  // whose files are being added
  std::set<std::string> named_;       // paths of `add_dir`
  std::vector<std::string> privileged_;
  std::uint64_t bytes_ = 0;
  std::size_t entries_ = 0;
};

}  // namespace

std::vector<std::string> add_content(const ImageRequest& block, const fs::path& base,
                                     imagegen::ImageSpec& spec) {
  Content content(spec);
  for (const std::string& text : block.add_dir) content.add_folder(parse_added_folder(text));
  for (const std::string& text : block.add) {
    const AddedFile added = parse_added_file(text);
    content.add(added, base / added.source);
  }
  return content.warnings();
}

}  // namespace whittle::ship
