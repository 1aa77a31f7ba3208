// SPDX-License-Identifier: MIT
//
// How a container is started, as an image's config says it. Source: OCI image-spec, config.md.
#pragma once

#include <string>
#include <vector>

namespace whittle {

struct RunConfig {
  std::vector<std::string> entrypoint, cmd;
  std::vector<std::string> env;  // "NAME=VALUE"
  std::string working_dir;       // empty: "/"
  std::string user;              // "USER", "USER:GROUP", names or numbers; empty: root
};

}  // namespace whittle
