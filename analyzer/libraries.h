// SPDX-License-Identifier: MIT
//
// Where the dynamic loader would find a program's libraries, in a root filesystem that need not be
// this machine's: a folder, or an image. Nothing is run, unlike `ldd`, which runs the program's
// interpreter.
//
// Source: ld.so(8); musl's ldso/dynlink.c.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyzer/report.h"
#include "common/file_tree.h"

namespace whittle::analyzer {

// Looks for libraries in one tree, which has to outlive it and must not change meanwhile. Not
// thread-safe.
class LibraryFinder {
 public:
  // Whether who runs the program may read a file; the loader passes over libraries that he may not.
  using MayRead = std::function<bool(const ResolvedPath&)>;

  // `environment` are the folders of LD_LIBRARY_PATH, if the program runs with one. Without
  // `may_read` everything can be read.
  explicit LibraryFinder(const FileTree& tree, std::vector<std::string> environment = {},
                         MayRead may_read = {})
      : tree_(tree), environment_(std::move(environment)), may_read_(std::move(may_read)) {}

  // `path` is the executable's in the tree: $ORIGIN is its folder. Damaged libraries count as
  // missing, as for the loader.
  LibraryTree find(const LinkedObject& program, const std::string& path);

 private:
  struct Object {  // an executable or library, and where it is
    std::string path;
    std::shared_ptr<const LinkedObject> linked;
  };
  struct Search;
  struct Found {
    std::string path, by;
  };
  struct Loading {  // an object whose libraries are to be found
    std::shared_ptr<const Object> object;
    // Itself, what asked for it, and so on to the program.
    std::vector<std::shared_ptr<const Object>> loaders;
    std::vector<Library>* out = nullptr;
  };

  std::optional<std::string> resolve_path(const std::string& path) const;
  std::shared_ptr<const LinkedObject> load(const std::string& resolved) const;
  std::vector<std::string> system_folders(const LinkedObject& program, bool musl);
  std::vector<std::string> musl_folders(std::string_view interpreter) const;
  void read_configuration(const std::string& path, int depth);
  void add_needed(Search& search, const Loading& loading, std::deque<Loading>& queue);
  std::optional<Found> find_one(Search& search, const std::string& name, const Loading& loading);
  bool may_look_up(Search& search);

  const FileTree& tree_;
  const std::vector<std::string> environment_;
  const MayRead may_read_;
  std::optional<std::vector<std::string>> configured_;  // folders of /etc/ld.so.conf, once read
  int configurations_ = 0;                              // files of these that were read
  std::size_t lookups_ = 0;                             // of files, for all programs
};

}  // namespace whittle::analyzer
