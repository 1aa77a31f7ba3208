// SPDX-License-Identifier: MIT
#include "cli/stage_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <variant>

#include "cli/output.h"
#include "common/overloaded.h"
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

void StageLog::on(const ship::Event& event) {
  using namespace ship::event;
  const std::string_view step = event.step;
  std::visit(
      Overloaded{
          [&](const Started& started) { print(step, kDim, "$ " + plain_line(started.command)); },
          [&](const Output& output) {
            auto log = output_.find(step);
            if (log == output_.end()) log = output_.emplace(step, colour_).first;
            print(step, kPlain, log->second.line(output.line));
          },
          [&](const Progress& progress) {
            progress_.show(fmt::format("[{}] {}", step, ship::name(progress.stage)), progress.done,
                           progress.total);
          },
          [&](const Done& done) {
            print(step, kBold, fmt::format("{:<8} {}", ship::name(done.stage), done.summary));
          },
          [&](const Warning& warning) {
            print(step, kYellow, fmt::format("warning: {}", warning.text));
          },
          [&](const Stopped&) { print(step, kYellow, "stopped"); },
      },
      event.what);
}

}  // namespace whittle::cli
