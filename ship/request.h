// SPDX-License-Identifier: MIT
//
// What can be asked for: an executable to ship, and the image around it. Build files and the
// command line fill these in; ship/ship.h does what they say.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "imagegen/image.h"
#include "packer/choices.h"

namespace whittle::ship {

using Assignments = std::vector<std::pair<std::string, std::string>>;

// `whittle.image`: the image around the executable. Paths on the host are under the work directory.
struct ImageRequest {
  std::string output;                   // archive; empty: none (then `layout` is set)
  std::string layout;                   // OCI layout folder; empty: none
  std::string tag;                      // "name:tag"
  std::string name;                     // absolute path of the executable inside the image
  std::vector<std::string> entrypoint;  // empty: the executable
  std::vector<std::string> cmd;
  Assignments env;
  std::string workdir = "/";
  std::string user = "65532:65532";
  std::vector<std::string> expose;  // "8080/tcp"
  Assignments labels, annotations;
  std::vector<std::string> add;      // "SRC:DEST[:MODE[:UID:GID]]"
  std::vector<std::string> add_dir;  // "PATH[:MODE[:UID:GID]]"
  imagegen::Compression compression = imagegen::Compression::gzip;
};

// `whittle`: what to do with a step's executable.
struct ShipRequest {
  std::string binary;  // under the work directory
  bool strip = true;
  bool pack = true;
  packer::Level level = packer::Level::fast;
  std::string output;  // where to leave the stripped and packed executable; empty: nowhere
  ImageRequest image;

  // The archive that is made: the one named, or where no output of the image is, the binary's base
  // name and ".tar". Empty: none.
  std::string archive() const;

  // Where the executable lies in the image: `image.name`, or else the binary's base name below "/".
  std::string program_path() const;
};

}  // namespace whittle::ship
