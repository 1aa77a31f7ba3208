// SPDX-License-Identifier: MIT
//
// What an image gets beside its executable, as it is written on the command line and in build
// files: "SRC:DEST[:MODE[:UID:GID]]" for a file or a folder of the host, and
// "PATH[:MODE[:UID:GID]]" for an empty folder. ship/added_content.h reads the files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "imagegen/image.h"

namespace whittle::ship {

struct AddedFile {
  std::string source;       // on the host: a file or a folder
  std::string destination;  // absolute, inside the image
  // Permission bits, written in octal; without them a file gets 0644, and what is in a folder keeps
  // its own.
  std::optional<std::uint32_t> mode;
  imagegen::Owner owner;
};

// Throws Error{usage} where the text is not of that form, the destination is no absolute path of an
// image, the mode is not an octal number up to 7777, or the owner is not two numbers. The mode may
// be empty before an owner. A destination that ends in "/" gets the source's name.
AddedFile parse_added_file(std::string_view text);

// The same for "PATH[:MODE[:UID:GID]]". Throws Error{usage}.
imagegen::RootFolder parse_added_folder(std::string_view text);

// What is wrong with the source of a file that a build file adds, or empty. Sources are inside the
// work directory, but for files of the system that programs need unchanged: bundles of CA
// certificates and time zones.
std::string problem_of_source(std::string_view path);

// True for those files of the system.
bool is_system_file(std::string_view path);

}  // namespace whittle::ship
