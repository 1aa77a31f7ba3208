// SPDX-License-Identifier: MIT
//
// What an image is as a whole, as plain data: whether it starts, what its scripts ask for, and what
// was not examined. The reports on its programs are those of an audit, see analyzer.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "analyzer/startup.h"

namespace whittle::analyzer {

struct Script {
  std::string path;                       // in the image
  std::vector<std::string> interpreters;  // "/usr/bin/env", "python3", "/lib/ld-linux.so.2"
  Answer present = Answer::unknown;       // whether the image has all of them
  std::string problem;                    // unless they are
};

struct ImageReport {
  std::string path;               // "app.tar", "app.tar[linux/arm64]"
  std::string platform;           // "linux/arm64/v8"
  std::string digest;             // of the manifest; empty where it has none
  std::vector<std::string> tags;  // "v1", "app:v1"
  bool is_absent = false;         // named by an index, but missing; what follows is then empty
  std::string user;               // as its config says it; empty: root
  Startup startup;
  std::vector<Script> scripts;  // files that may be executed and name an interpreter, by path
  std::uint64_t files = 0, folders = 0, links = 0;  // symbolic ones
  std::uint64_t bytes = 0;                          // of files, without compression
  bool is_verified = false;                         // every blob that was read matched a digest
  std::vector<std::string>
      not_looked_at;  // "layer sha256:…: is not the layer that the image names"
  std::vector<Violation> violations = {};
};

}  // namespace whittle::analyzer
