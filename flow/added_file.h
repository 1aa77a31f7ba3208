// SPDX-License-Identifier: MIT
//
// "SRC:DEST[:MODE]": a file of the host that an image gets beside its executable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace whittle::flow {

struct AddedFile {
  std::string source;         // on the host
  std::string destination;    // absolute, inside the image
  std::uint32_t mode = 0644;  // permission bits, written in octal
};

// Throws Error{usage} where the text is not of that form, the destination is not absolute or the
// mode is not an octal number up to 7777. A destination that ends in "/" gets the source's name.
AddedFile parse_added_file(std::string_view text);

}  // namespace whittle::flow
