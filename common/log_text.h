// SPDX-License-Identifier: MIT
//
// Lines that another program printed, made fit for a log that whittle writes. Tabs stay. Colours
// (SGR sequences, ECMA-48 8.3.117) stay where the log is coloured and are dropped elsewhere. Every
// other control sequence is dropped: it would move the cursor, erase what is not its own, set a
// title or a link. What remains of control characters is shown as `printable` shows it.
#pragma once

#include <string>
#include <string_view>

namespace whittle {

// The lines of one program, in order: a colour that one line sets holds for the next ones, as on a
// terminal, although lines of others may come between them.
class LogText {
 public:
  explicit LogText(bool coloured) : coloured_(coloured) {}

  // One line, without its end. A coloured line ends uncoloured.
  std::string line(std::string_view text);

 private:
  void take_sequence(std::string_view sequence, std::string& out);

  const bool coloured_;
  std::string active_;  // the sequences that led to the present colours; empty: none are set
};

// A single line without colours.
std::string plain_line(std::string_view text);

}  // namespace whittle
