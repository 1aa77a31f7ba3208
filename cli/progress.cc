// SPDX-License-Identifier: MIT
#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/output.h"
#include "common/text.h"

namespace whittle::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kInterval = std::chrono::milliseconds(100);

void write_raw(std::string_view text) {
  // Losing a bit of progress is not worth a word.
  [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

void clear_progress() {
  if (is_terminal(STDERR_FILENO)) write_raw("\r\x1b[K");
}

ProgressLine::ProgressLine(bool quiet)
    : enabled_(!quiet && is_terminal(STDERR_FILENO)), next_(Clock::now() + 3 * kInterval) {}

void ProgressLine::show(std::string_view what, std::uint64_t done, std::uint64_t total) {
  if (!enabled_ || total == 0 || Clock::now() < next_) return;
  next_ = Clock::now() + kInterval;
  visible_ = true;
  write_raw(fmt::format("\r\x1b[K{}  {} %", printable(what), done * 100 / total));
}

void ProgressLine::clear() {
  if (visible_) write_raw("\r\x1b[K");
  visible_ = false;
}

}  // namespace whittle::cli
