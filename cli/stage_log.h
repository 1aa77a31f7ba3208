// SPDX-License-Identifier: MIT
//
// What `build` and `image` tell on standard error while they work: one line a stage and a line of
// output, each after the step's name, and on a terminal the progress of what takes long.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "cli/progress.h"
#include "common/log_text.h"
#include "ship/observer.h"

namespace whittle::cli {

class StageLog : public ship::Observer {
 public:
  explicit StageLog(bool quiet);
  void on_command(std::string_view step, std::string_view line) override;
  void on_output(std::string_view step, std::string_view line) override;
  void on_stage(std::string_view step, ship::Stage stage, std::string_view summary) override;
  void on_progress(std::string_view step, ship::Stage stage, std::uint64_t done,
                   std::uint64_t total) override;
  void on_warning(std::string_view step, std::string_view warning) override;
  void on_stopped(std::string_view step) override;

 private:
  void print(std::string_view step, std::string_view colour, std::string_view line);

  const bool quiet_, colour_;
  ProgressLine progress_;
  std::map<std::string, LogText, std::less<>> output_;  // by step
};

}  // namespace whittle::cli
