// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace whittle::imagegen {

// The name of an image, in the parts that its readers ask for.
struct Reference {
  std::string familiar;   // as docker shows it: "hello:1.0", "registry.example/team/hello:1.0"
  std::string canonical;  // with its registry: "docker.io/library/hello:1.0"
  std::string tag;        // "1.0"
};

// Parses "[registry/]name[:tag]"; the tag is "latest" where none is given. Throws Error{usage}.
Reference parse_reference(std::string_view text);

}  // namespace whittle::imagegen
