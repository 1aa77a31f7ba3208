// SPDX-License-Identifier: MIT
//
// build.yml: what to build, in which order, and what to ship. The format is the one of Habitus
// (steps that build Dockerfiles and hand artifacts on), extended by steps that run a command on the
// host and by a `whittle` block that turns a step's executable into an image. config/SCHEMA.md is
// the reference for authors.
//
// Reading checks everything that the file alone can tell: keys, types, names, paths that would
// leave the work directory, keys that a step of this sort cannot honour. What depends on the
// machine is left to the run.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/bytes.h"
#include "config/substitute.h"
#include "ship/request.h"

namespace whittle::config {

struct Artifact {
  std::string source;        // host step: relative to the step's folder; Dockerfile: in the image
  std::string folder = ".";  // under the work directory; the source's base name is kept
};

struct Secret {
  std::string name, type, value;  // type: "file" or "env"
};

// A path on the host that a step reads or writes, and where the file says so. A step uses its paths
// in this order.
struct HostPath {
  enum class Use { dir, artifact, binary, added, executable, layout, archive, system };
  Use use = Use::dir;
  // Both are under the work directory and normalised: no ".", no "..", no "/" at the end; "." is
  // the work directory. A file of the system that is added has its absolute path.
  std::string path = {};    // of an artifact: where it is put
  std::string source = {};  // of an artifact of a host step: where it is taken from; else empty
  std::string key = {};     // "build.steps.web.whittle.binary"
  Position position = {};
};

struct Step {
  std::string label;  // the key in `steps`; what `depends_on` names
  Position position;
  std::vector<std::string> depends_on;  // labels, each once
  Position depends_on_position;         // of the list
  std::string name;                     // of the image

  // A step that builds a Dockerfile. `dockerfile` is empty for a host step.
  std::string dockerfile, context, target;
  ship::Assignments args;
  std::vector<std::string> cleanup_commands;
  std::string command, after_build_command;
  bool no_cache = false;
  std::vector<Secret> secrets;

  // A step that runs on the host.
  std::string run;  // for /bin/sh -c; may be empty when the step only ships
  std::string dir = ".";
  ship::Assignments env;
  std::optional<ship::ShipRequest> ship;

  std::vector<Artifact> artifacts;

  std::vector<HostPath> paths;  // in the order of their use
};

struct BuildFile {
  std::string path;
  std::string version;      // as written; empty where left out
  std::string work_dir;     // read for compatibility, used by nobody
  std::vector<Step> steps;  // in the order of the file
};

// Reads a build file. `path` is for messages. Throws Error{usage} with line, column and, for a name
// that is not known, a suggestion.
BuildFile parse_build_file(std::string_view text, std::string_view path,
                           const Environment& environment);

}  // namespace whittle::config
