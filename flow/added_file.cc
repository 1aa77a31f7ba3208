// SPDX-License-Identifier: MIT
#include "flow/added_file.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "common/error.h"
#include "common/text.h"

namespace whittle::flow {

AddedFile parse_added_file(std::string_view text) {
  const auto refuse = [&](std::string_view problem) {
    throw Error(ErrorKind::usage, "",
                fmt::format("the file to add `{}` {}; write SRC:DEST or SRC:DEST:MODE, for example "
                            "ca.pem:/etc/ssl/certs/ca-certificates.crt:0644",
                            printable(text), problem));
  };
  AddedFile file;
  const std::size_t first = text.find(':');
  if (first == 0 || first == std::string_view::npos) refuse("names no destination");
  file.source = text.substr(0, first);
  std::string_view rest = text.substr(first + 1);
  if (const std::size_t second = rest.find(':'); second != std::string_view::npos) {
    const std::string_view mode = rest.substr(second + 1);
    const auto [end, error] = std::from_chars(mode.data(), mode.data() + mode.size(), file.mode, 8);
    if (error != std::errc() || end != mode.data() + mode.size() || file.mode > 07777) {
      refuse("has a mode that is not an octal number up to 7777");
    }
    rest = rest.substr(0, second);
  }
  file.destination = rest;
  if (!rest.starts_with('/')) refuse("has a destination that is not absolute");
  if (rest.ends_with('/')) {
    file.destination += std::filesystem::path(file.source).filename().native();
  }
  return file;
}

}  // namespace whittle::flow
