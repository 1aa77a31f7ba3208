// SPDX-License-Identifier: MIT
//
// The one exception type of whittle. A library throws it where the problem is found; the command
// catches it once, in cli/main.cc, and turns its kind into the documented exit code. Outcomes that
// a caller goes on with (a refusal to pack inside a build, a failed check) are values, not errors.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace whittle {

// What went wrong, in the terms of the exit-code table. The enumerator's value is the exit code's
// meaning, not its number: `exit_code` holds the numbers.
enum class ErrorKind {
  failed,     // a check or a build step did not succeed                        (exit 1)
  usage,      // wrong command line or configuration                            (exit 2)
  refused,    // well-formed input that this command does not take              (exit 3)
  malformed,  // input that does not follow its format                          (exit 4)
  corrupt,    // input that once followed its format and was damaged since      (exit 4)
  io,         // the system refused a read, a write, a connection or memory     (exit 5)
  internal,   // a promise of the program itself did not hold                   (exit 70)
};

int exit_code(ErrorKind kind);
std::string_view name(ErrorKind kind);  // "malformed"

// what() reads "PATH: MESSAGE (at offset N)"; path and offset are left out where unknown.
// MESSAGE says what was being done, what was found, and what to do about it.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, std::string_view path, std::string_view message,
        std::optional<std::uint64_t> offset = std::nullopt);

  ErrorKind kind() const { return kind_; }
  const std::string& path() const { return path_; }
  const std::string& message() const { return message_; }
  std::optional<std::uint64_t> offset() const { return offset_; }

 private:
  ErrorKind kind_;
  std::string path_;
  std::string message_;
  std::optional<std::uint64_t> offset_;
};

// An io error that ends in the text of `error_number` (errno's value).
Error io_error(std::string_view path, std::string_view doing, int error_number);

}  // namespace whittle
