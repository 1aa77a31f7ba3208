// SPDX-License-Identifier: MIT
#include "cli/stage_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/output.h"
#include "common/text.h"

namespace whittle::cli {
namespace {

constexpr std::string_view kPlain = "";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kDim = "\x1b[2m";

}  // namespace

StageLog::StageLog(bool quiet)
    : quiet_(quiet), colour_(wants_colour(STDERR_FILENO)), progress_(quiet) {}

void StageLog::print(std::string_view step, std::string_view colour, std::string_view line) {
  if (quiet_) return;
  progress_.clear();
  const std::string where = step.empty() ? "" : fmt::format("[{}] ", printable(step));
  if (colour_ && !colour.empty()) {
    print_message(fmt::format("{}{}{}\x1b[0m", where, colour, line));
  } else {
    print_message(where + std::string(line));
  }
}

void StageLog::on_command(std::string_view step, std::string_view line) {
  print(step, kDim, "$ " + plain_line(line));
}

void StageLog::on_output(std::string_view step, std::string_view line) {
  auto log = output_.find(step);
  if (log == output_.end()) log = output_.emplace(step, colour_).first;
  print(step, kPlain, log->second.line(line));
}

void StageLog::on_stage(std::string_view step, ship::Stage stage, std::string_view summary) {
  print(step, kBold, fmt::format("{:<8} {}", ship::name(stage), summary));
}

void StageLog::on_progress(std::string_view step, ship::Stage stage, std::uint64_t done,
                           std::uint64_t total) {
  progress_.show(fmt::format("[{}] {}", step, ship::name(stage)), done, total);
}

void StageLog::on_warning(std::string_view step, std::string_view warning) {
  print(step, kYellow, fmt::format("warning: {}", warning));
}

void StageLog::on_stopped(std::string_view step) { print(step, kYellow, "stopped"); }

}  // namespace whittle::cli
