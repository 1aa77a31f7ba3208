// SPDX-License-Identifier: MIT
#include "common/error.h"

#include <fmt/format.h>

#include <system_error>

namespace whittle {
namespace {

std::string compose(std::string_view path, std::string_view message,
                    std::optional<std::uint64_t> offset) {
  std::string text;
  if (!path.empty()) text = fmt::format("{}: ", path);
  text += message;
  if (offset) text += fmt::format(" (at offset {})", *offset);
  return text;
}

}  // namespace

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::failed:
      return 1;
    case ErrorKind::usage:
      return 2;
    case ErrorKind::refused:
      return 3;
    case ErrorKind::malformed:
    case ErrorKind::corrupt:
      return 4;
    case ErrorKind::io:
      return 5;
    case ErrorKind::internal:
      break;
  }
  return 70;
}

std::string_view name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::failed:
      return "failed";
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::refused:
      return "refused";
    case ErrorKind::malformed:
      return "malformed";
    case ErrorKind::corrupt:
      return "corrupt";
    case ErrorKind::io:
      return "io";
    case ErrorKind::internal:
      break;
  }
  return "internal";
}

Error::Error(ErrorKind kind, std::string_view path, std::string_view message,
             std::optional<std::uint64_t> offset)
    : std::runtime_error(compose(path, message, offset)),
      kind_(kind),
      path_(path),
      message_(message),
      offset_(offset) {}

Error io_error(std::string_view path, std::string_view doing, int error_number) {
  return Error(ErrorKind::io, path,
               fmt::format("{}: {}", doing, std::generic_category().message(error_number)));
}

}  // namespace whittle
