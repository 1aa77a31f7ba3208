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
#include "ship/event.h"

namespace whittle::cli {

class StageLog : public ship::Observer {
 public:
  explicit StageLog(bool quiet);
  void on(const ship::Event& event) override;

 private:
  void print(std::string_view step, std::string_view colour, std::string_view line);

  const bool quiet_, colour_;
  ProgressLine progress_;
  std::map<std::string, LogText, std::less<>> output_;  // by step
};

}  // namespace whittle::cli
