// SPDX-License-Identifier: MIT
#include "cli/output.h"

#include <fmt/format.h>
#include <unistd.h>

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
  write_all(STDERR_FILENO, fmt::format("{}\n", line));
}

void print_error(std::string_view message) {
  if (wants_colour(STDERR_FILENO)) {
    print_message(fmt::format("\x1b[1;31mwhittle:\x1b[0m {}", message));
  } else {
    print_message(fmt::format("whittle: {}", message));
  }
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
