// SPDX-License-Identifier: MIT
//
// What a build tells while it runs. The library does not print: the command decides what becomes a
// line, a colour or a progress bar. Calls come from the threads that run the steps, one at a time.
#pragma once

#include <cstdint>
#include <string_view>

namespace whittle::ship {

// The stages of a step that ships an executable; a step without a `whittle` block has the first.
enum class Stage { compile, audit, strip, pack, image };
std::string_view name(Stage stage);

class Observer {
 public:
  virtual ~Observer() = default;
  // A step begins a command: one line of it, without its end. Those of a script come as they run.
  virtual void on_command(std::string_view /*step*/, std::string_view /*line*/) {}
  // One line of the command's output, standard output and standard error alike, without its end.
  virtual void on_output(std::string_view /*step*/, std::string_view /*line*/) {}
  // A stage is done; `summary` says with what result ("static executable for x86-64").
  virtual void on_stage(std::string_view /*step*/, Stage, std::string_view /*summary*/) {}
  // A stage is under way: bytes done of bytes in all.
  virtual void on_progress(std::string_view /*step*/, Stage, std::uint64_t /*done*/,
                           std::uint64_t /*total*/) {}
  // Something that the author of the build should know.
  virtual void on_warning(std::string_view /*step*/, std::string_view /*warning*/) {}
  // A step was ended although it had not failed.
  virtual void on_stopped(std::string_view /*step*/) {}
};

}  // namespace whittle::ship
