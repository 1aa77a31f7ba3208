// SPDX-License-Identifier: MIT
//
// The one table of what can be asked of an image. The parser of build files takes its keys from it,
// the command line its options, and a test holds the table of config/SCHEMA.md to it, so nothing
// can be asked for in one way and not in the other.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ship/request.h"

namespace whittle::ship {

struct ImageOption {
  std::string_view key;    // in a build file, below `image`: "add_dir"
  std::string_view flags;  // on the command line: "-l,--label"
  std::string_view type;   // of one value there: "NAME=VALUE"
  std::string_view help;   // "*": it may be repeated
  // What it sets. A list is given by repeating the option.
  std::variant<std::string ImageRequest::*, std::vector<std::string> ImageRequest::*,
               Assignments ImageRequest::*, imagegen::Compression ImageRequest::*>
      member;
  bool may_be_empty = false;  // an empty value means something

  std::string_view long_flag() const { return flags.substr(flags.rfind("--")); }
};

inline constexpr ImageOption kImageOptions[] = {
    {"output", "-o,--output", "OUT", "The archive, for `docker load`; - for standard output",
     &ImageRequest::output},
    {"layout", "--layout", "DIR", "An OCI layout folder, created or added to",
     &ImageRequest::layout},
    {"tag", "-t,--tag", "NAME:TAG", "The image's name (FILE's name:latest)", &ImageRequest::tag},
    {"name", "--name", "PATH", "Path of the executable in it (/FILE's name)", &ImageRequest::name},
    {"entrypoint", "--entrypoint", "ARG", "What is run (the executable) *",
     &ImageRequest::entrypoint},
    {"cmd", "--cmd", "ARG", "Its default arguments *", &ImageRequest::cmd, true},
    {"env", "-e,--env", "NAME=VALUE", "An environment variable *", &ImageRequest::env},
    {"workdir", "--workdir", "PATH", "The working directory (/)", &ImageRequest::workdir},
    {"user", "--user", "UID:GID", "Who runs it (65532:65532)", &ImageRequest::user},
    {"expose", "--expose", "PORT", "A port it listens on: 8080, 53/udp *", &ImageRequest::expose},
    {"labels", "-l,--label", "NAME=VALUE", "A label *", &ImageRequest::labels},
    {"annotations", "--annotation", "NAME=VALUE", "An annotation of the manifest *",
     &ImageRequest::annotations},
    {"add", "--add", "SRC:DEST[:MODE[:UID:GID]]",
     "A file (mode 0644), or a folder with all\nthat is in it *", &ImageRequest::add},
    {"add_dir", "--add-dir", "PATH[:MODE[:UID:GID]]", "A folder (mode 0755), such as /tmp:1777 *",
     &ImageRequest::add_dir},
    {"compression", "--compression", "NAME", "Of the layer: gzip or zstd (gzip)",
     &ImageRequest::compression},
};

// The option of a build file's key, or null.
constexpr const ImageOption* image_option(std::string_view key) {
  for (const ImageOption& option : kImageOptions) {
    if (option.key == key) return &option;
  }
  return nullptr;
}

}  // namespace whittle::ship
