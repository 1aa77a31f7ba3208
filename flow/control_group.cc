// SPDX-License-Identifier: MIT
#include "flow/control_group.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

namespace whittle::flow {
namespace {

namespace fs = std::filesystem;

std::string read_text(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// In mountinfo a blank, a tab, a line feed and a backslash are "\040" and the like.
std::string unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i++) {
    const auto digit = [&](std::size_t k) {
      return i + k < text.size() && text[i + k] >= '0' && text[i + k] <= '7' ? text[i + k] - '0'
                                                                             : -1;
    };
    if (text[i] == '\\' && digit(1) >= 0 && digit(2) >= 0 && digit(3) >= 0) {
      out += static_cast<char>(digit(1) * 64 + digit(2) * 8 + digit(3));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool write_to(const std::string& path, std::string_view text) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool written =
      ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(descriptor);
  return written;
}

void remove_folders(const fs::path& folder) {
  std::error_code error;
  for (auto at = fs::directory_iterator(folder, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    std::error_code ignored;
    if (at->is_directory(ignored)) remove_folders(at->path());
  }
  ::rmdir(folder.c_str());  // its files are the kernel's and go with it
}

}  // namespace

fs::path control_group_folder(const std::string& cgroup, const std::string& mountinfo) {
  std::string group;  // "0::/user.slice/…"
  std::istringstream groups(cgroup);
  for (std::string line; std::getline(groups, line);) {
    if (line.rfind("0::/", 0) == 0) group = line.substr(3);
  }
  if (group.empty()) return {};
  std::istringstream mounts(mountinfo);
  for (std::string line; std::getline(mounts, line);) {
    // "36 35 0:31 ROOT MOUNT_POINT OPTIONS [FIELD]... - cgroup2 SOURCE OPTIONS"
    std::istringstream stream(line);
    const std::vector<std::string> fields{std::istream_iterator<std::string>(stream), {}};
    std::size_t dash = 6;
    while (dash < fields.size() && fields[dash] != "-") dash++;
    if (dash + 1 >= fields.size() || fields[dash + 1] != "cgroup2") continue;
    // A group above the root of the mount has a way that leads out of it.
    const fs::path inner = fs::path(group).lexically_relative(unescape(fields[3]));
    if (inner.empty() || *inner.begin() == "..") continue;
    return (fs::path(unescape(fields[4])) / inner).lexically_normal();
  }
  return {};
}

ControlGroup::ControlGroup(const std::string& name) {
  const fs::path parent =
      control_group_folder(read_text("/proc/self/cgroup"), read_text("/proc/self/mountinfo"));
  if (parent.empty()) return;
  const fs::path path = parent / ("whittle." + name);
  if (::mkdir(path.c_str(), 0755) != 0) return;
  join_ = path / "cgroup.procs";
  kill_ = path / "cgroup.kill";
  if (::access(join_.c_str(), W_OK) == 0 && ::access(kill_.c_str(), W_OK) == 0) {
    path_ = path;
  } else {
    ::rmdir(path.c_str());
  }
}

ControlGroup::~ControlGroup() {
  if (!exists()) return;
  kill();
  // What was killed takes a moment to be gone; a group that stays is empty and does no harm.
  for (int i = 0; i < 100 && !remove(); i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

bool ControlGroup::join() const { return exists() && write_to(join_, "0"); }

void ControlGroup::kill() const {
  if (exists()) write_to(kill_, "1");  // which fails only where the group is gone
}

bool ControlGroup::remove() const {
  if (!exists()) return true;
  remove_folders(path_);
  return ::access(path_.c_str(), F_OK) != 0;
}

}  // namespace whittle::flow
