// SPDX-License-Identifier: MIT
//
// Where the dynamic loader would find a program's libraries, in a root filesystem that need not be
// this machine's. Nothing is run, unlike `ldd`, which runs the program's interpreter.
//
// Source: ld.so(8); musl's ldso/dynlink.c.
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/report.h"
#include "common/bytes.h"
#include "common/elf.h"

namespace whittle::analyzer {

// Looks for libraries in one root; keeps what it learned of them for the next program. Not
// thread-safe. Throws Error{io} where the root is not a folder that can be read.
class LibraryFinder {
 public:
  explicit LibraryFinder(const std::filesystem::path& root);

  // `path` is the executable's: $ORIGIN is its folder, inside the root where it lies there. Damaged
  // libraries count as missing, as for the loader. Throws Error{malformed} for a damaged
  // executable.
  LibraryTree find(const elf::File& file, const std::filesystem::path& path);

 private:
  struct Object {      // an executable or library
    std::string path;  // inside the root
    std::string soname;
    std::vector<std::string> needed, rpath, runpath;
    bool is_64bit = true;
    std::uint16_t machine = 0;
  };
  struct Search;
  struct Found {
    std::string path, by;
  };
  struct Loading {  // an object whose libraries are to be found
    const Object* object = nullptr;
    std::vector<const Object*> loaders;  // itself, what asked for it, and so on to the program
    std::vector<Library>* out = nullptr;
  };

  std::optional<std::string> resolve(const std::string& path) const;
  const Object* load(const std::string& resolved);
  std::vector<std::string> system_folders(const Object& program, bool musl) const;
  void read_configuration(const std::string& path, std::vector<std::string>& folders,
                          int depth) const;
  void add_needed(Search& search, const Loading& loading, std::deque<Loading>& queue);
  std::optional<Found> find_one(Search& search, const std::string& name, const Object& object,
                                const std::vector<const Object*>& loaders);

  std::filesystem::path root_;
  std::map<std::string, std::optional<Object>> objects_;  // by path; nothing: not a library
};

}  // namespace whittle::analyzer
