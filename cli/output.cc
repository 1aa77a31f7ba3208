// SPDX-License-Identifier: MIT
#include "cli/output.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "common/error.h"
#include "common/file.h"

namespace whittle::cli {
namespace {

// Returns errno, or 0 when all of it is written.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(descriptor, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

// False where messages would end up among the bytes of a file (`-o - 2>&1`).
bool messages_allowed = true;

}  // namespace

void print_result(std::string_view text) {
  std::string lines(text);
  if (!lines.empty() && lines.back() != '\n') lines += '\n';
  const int error = write_all(STDOUT_FILENO, lines);
  if (error == EPIPE) throw BrokenPipe();
  if (error != 0) throw io_error("standard output", "cannot write", error);
}

void print_message(std::string_view line) {
  // One write, so that lines of parallel steps stay whole.
  if (messages_allowed) write_all(STDERR_FILENO, fmt::format("{}\n", line));
}

void print_error(std::string_view message) {
  messages_allowed = true;
  if (wants_colour(STDERR_FILENO)) {
    print_message(fmt::format("\x1b[1;31mwhittle:\x1b[0m {}", message));
  } else {
    print_message(fmt::format("whittle: {}", message));
  }
}

std::filesystem::path output_path(const std::string& word) {
  const std::filesystem::path path = word == "-" ? kStandardOutput : word;
  if (!is_standard_output(path)) return path;
  if (is_terminal(STDOUT_FILENO)) {
    throw Error(ErrorKind::usage, "standard output",
                "is a terminal, and would get the bytes of a file; send it to a file or a pipe");
  }
  struct stat result {
  }, messages{};
  messages_allowed = ::fstat(STDOUT_FILENO, &result) != 0 ||
                     ::fstat(STDERR_FILENO, &messages) != 0 || result.st_dev != messages.st_dev ||
                     result.st_ino != messages.st_ino;
  return path;
}

void print_status(std::string_view text, const std::vector<std::filesystem::path>& outputs) {
  if (std::none_of(outputs.begin(), outputs.end(), is_standard_output)) return print_result(text);
  while (text.ends_with('\n')) text.remove_suffix(1);
  print_message(text);
}

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

bool wants_colour(int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return is_terminal(descriptor) && (no_color == nullptr || *no_color == '\0') && term != nullptr &&
         std::string_view(term) != "dumb";
}

void write_executable(const std::filesystem::path& path, ByteView bytes, const FileStatus& like,
                      bool preserve) {
  AtomicFile file(path, like.mode);
  file.write(bytes);
  if (preserve) file.set_owner_and_times(like);
  // Set-uid and set-gid lend the rights of an owner and a group: of these and of no others.
  file.set_exact_mode(file.has_owner_of(like) ? like.mode : like.mode & 0777);
  if (!like.capabilities.empty() && !(preserve && file.set_capabilities(like.capabilities))) {
    print_message(fmt::format(
        "whittle: {}: is written without the file capabilities of its original", path.native()));
  }
  file.commit();
}

}  // namespace whittle::cli
