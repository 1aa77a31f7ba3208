// SPDX-License-Identifier: MIT
//
// What happens while something is shipped or built. The library does not print: the command decides
// what becomes a line, a colour or a progress bar. Texts are views and live as long as the call.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

namespace whittle::ship {

// The stages of a step that ships an executable; a step without a `whittle` block has the first.
enum class Stage { compile, audit, strip, pack, image };
std::string_view name(Stage stage);

namespace event {

// A step begins a command: one line of it, without its end. Those of a script come as they run.
struct Started {
  std::string_view command;
};
// One line of the command's output, standard output and standard error alike, without its end.
struct Output {
  std::string_view line;
};
// A stage is under way: bytes done of bytes in all.
struct Progress {
  Stage stage = Stage::compile;
  std::uint64_t done = 0, total = 0;
};
// A stage is done; `summary` says with what result ("static executable for x86-64").
struct Done {
  Stage stage = Stage::compile;
  std::string_view summary;
};
// Something that the author of the build should know.
struct Warning {
  std::string_view text;
};
// The step was ended although it had not failed.
struct Stopped {};

}  // namespace event

struct Event {
  std::string_view step;  // its label; empty where there are no steps
  std::variant<event::Started, event::Output, event::Progress, event::Done, event::Warning,
               event::Stopped>
      what;
};

class Observer {
 public:
  virtual ~Observer() = default;
  // Calls come from the threads that do the work, one at a time.
  virtual void on(const Event& event) = 0;
};

}  // namespace whittle::ship
