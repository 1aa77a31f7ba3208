// SPDX-License-Identifier: MIT
//
// The two streams. Results go to standard output and must arrive: a failed write is an error.
// Messages go to standard error; a failure to write them is ignored.
#pragma once

#include <sys/types.h>

#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "common/file.h"

namespace whittle::cli {

// The reader of standard output has gone (`whittle audit / | head`): nothing is wrong, nothing is
// left to do.
class BrokenPipe : public std::exception {
 public:
  const char* what() const noexcept override { return "nobody reads standard output"; }
};

// Throws BrokenPipe or Error{io}.
void print_result(std::string_view text);

void print_message(std::string_view line);   // to standard error, with a line feed
void print_error(std::string_view message);  // "whittle: MESSAGE"

// The path that an output option means: "-" is standard output. Throws Error{usage} where the file
// would be written to a terminal. From then on, messages are not printed where standard output,
// which gets the file, and standard error lead to the same place. Errors are.
std::filesystem::path output_path(const std::string& word);

// Prints what a command that has written `outputs` has to say: as a result, or as a message where
// one of them went to standard output.
void print_status(std::string_view text, const std::vector<std::filesystem::path>& outputs);

// Whether that stream (1 or 2) is a terminal, and one that may be coloured (NO_COLOR, TERM=dumb).
bool is_terminal(int descriptor);
bool wants_colour(int descriptor);

// Writes an executable atomically with exactly the mode in `like`, and with its owner and times too
// where `preserve` says so. Where the system does not let the owner be kept, set-uid and set-gid
// are dropped, as cp does. File capabilities are kept like the owner; a message says where not.
void write_executable(const std::filesystem::path& path, ByteView bytes, const FileStatus& like,
                      bool preserve);

}  // namespace whittle::cli
