// SPDX-License-Identifier: MIT
//
// A control group (version 2, cgroups(7)) for the processes of a step. It can do what walking over
// processes cannot: end all of them in one go, those that fork faster than anybody can look, and
// those that belong to other users. Not everybody may create one: as root, or below a group that
// was delegated to the user, and Linux 5.14 has the file that kills. Where there is none, killing
// is up to the caller.
#pragma once

#include <filesystem>
#include <string>

namespace whittle::flow {

class ControlGroup {
 public:
  // Creates a group below the one of this process, with a name that contains `name`.
  explicit ControlGroup(const std::string& name);
  ~ControlGroup();  // kills what is in it, and removes it
  ControlGroup(const ControlGroup&) = delete;
  ControlGroup& operator=(const ControlGroup&) = delete;

  bool exists() const { return !path_.empty(); }
  // Moves the calling process into the group. Between fork and exec: makes system calls only.
  bool join() const;
  void kill() const;
  // Removes the group, and those that its processes made below it. False where one is not empty.
  bool remove() const;

 private:
  std::filesystem::path path_;  // empty: there is none
  std::string join_, kill_;     // the files in it
};

// Where the group of this process is, from /proc/self/cgroup and /proc/self/mountinfo; empty where
// there is no control group of version 2.
std::filesystem::path control_group_folder(const std::string& cgroup, const std::string& mountinfo);

}  // namespace whittle::flow
