// SPDX-License-Identifier: MIT
#include "ship/added_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <vector>

#include "common/error.h"
#include "common/host_path.h"
#include "common/text.h"
#include "imagegen/rootfs.h"

namespace whittle::ship {
namespace {

constexpr std::uint32_t kLargestMode = 07777;
constexpr std::uint32_t kLargestOwner = 0x7fffffff;  // what engines take

// The bundles are where Go looks for them on Linux (crypto/x509/root_linux.go), which is where
// distributions have them.
constexpr std::string_view kBundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch, Gentoo
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, RHEL 6
    "/etc/ssl/ca-bundle.pem",                             // openSUSE
    "/etc/pki/tls/cacert.pem",                            // OpenELEC
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // RHEL 7 and newer
    "/etc/ssl/cert.pem",                                  // Alpine
};
constexpr std::string_view kZones = "/usr/share/zoneinfo";

// One entry: its fields, and what to say about a mistake in it.
class Entry {
 public:
  Entry(std::string_view text, std::string_view what, std::string_view form)
      : text_(text), what_(what), form_(form) {
    for (std::size_t begin = 0;;) {
      const std::size_t end = std::min(text.find(':', begin), text.size());
      fields_.push_back(text.substr(begin, end - begin));
      if (end == text.size()) break;
      begin = end + 1;
    }
  }

  [[noreturn]] void refuse(std::string_view problem) const {
    throw Error(
        ErrorKind::usage, "",
        fmt::format("the {} to add `{}` {}; write {}", what_, printable(text_), problem, form_));
  }

  std::size_t count() const { return fields_.size(); }
  std::string_view field(std::size_t i) const { return fields_[i]; }

  // [:MODE[:UID:GID]] from field `first` on.
  std::optional<std::uint32_t> mode(std::size_t first) const {
    if (count() == first + 2) refuse("has a user without a group");
    if (count() > first + 3) refuse("has more parts than that");
    if (count() <= first || (field(first).empty() && count() > first + 1)) return std::nullopt;
    const auto mode = number(field(first), 8, kLargestMode);
    if (!mode) refuse("has a mode that is not an octal number up to 7777");
    return mode;
  }
  imagegen::Owner owner(std::size_t first) const {
    if (count() <= first + 1) return {};
    const auto user = number(field(first + 1), 10, kLargestOwner);
    const auto group = number(field(first + 2), 10, kLargestOwner);
    if (!user || !group) {
      refuse(fmt::format("has an owner that is not two numbers up to {}", kLargestOwner));
    }
    return {.user = *user, .group = *group};
  }

  // Throws Error{usage} where it is no path of an image.
  void check_path(std::string_view path) const {
    try {
      imagegen::normalise_path(path);
    } catch (const Error& error) {
      refuse(fmt::format("cannot be: {}", error.message()));
    }
  }

 private:
  static std::optional<std::uint32_t> number(std::string_view text, int base,
                                             std::uint32_t largest) {
    std::uint32_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value, base);
    if (text.empty() || error != std::errc() || at != end || value > largest) return std::nullopt;
    return value;
  }

  std::string_view text_, what_, form_;
  std::vector<std::string_view> fields_;
};

}  // namespace

AddedFile parse_added_file(std::string_view text) {
  const Entry entry(text, "file",
                    "SRC:DEST[:MODE[:UID:GID]], for example "
                    "ca.pem:/etc/ssl/certs/ca-certificates.crt:0644");
  AddedFile file;
  file.source = entry.field(0);
  if (file.source.empty() || entry.count() < 2) entry.refuse("names no destination");
  const std::string_view destination = entry.field(1);
  file.mode = entry.mode(2);
  file.owner = entry.owner(2);
  file.destination = destination;
  if (!destination.starts_with('/')) entry.refuse("has a destination that is not absolute");
  if (destination.ends_with('/')) {
    file.destination += std::filesystem::path(file.source).filename().native();
  }
  entry.check_path(file.destination);
  return file;
}

imagegen::RootFolder parse_added_folder(std::string_view text) {
  const Entry entry(text, "folder", "PATH[:MODE[:UID:GID]], for example /data:0750:65532:65532");
  imagegen::RootFolder folder;
  folder.path = entry.field(0);
  if (!folder.path.starts_with('/')) entry.refuse("has a path that is not absolute");
  folder.mode = entry.mode(1).value_or(folder.mode);
  folder.owner = entry.owner(1);
  entry.check_path(folder.path);
  if (imagegen::normalise_path(folder.path) == "/") {
    entry.refuse("is the root, which belongs to the engine");
  }
  return folder;
}

bool is_system_file(std::string_view path) {
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  const std::string& text = normal.native();
  return std::find(std::begin(kBundles), std::end(kBundles), text) != std::end(kBundles) ||
         text == kZones || text.starts_with(std::string(kZones) + '/');
}

std::string problem_of_source(std::string_view path) {
  if (is_system_file(path)) return "";
  std::string problem = problem_of_inner_path(path);
  if (path.starts_with('/')) {
    problem += fmt::format("; of the system's files, a build adds {} and what is in {}",
                           kBundles[0], kZones);
  }
  return problem;
}

}  // namespace whittle::ship
