// SPDX-License-Identifier: MIT
//
// `_env(NAME)` in a build file stands for an environment variable. The replacement is textual and
// comes before YAML is read, so that any part of the file may be built from it; a variable that is
// not set is empty. What is not of that form (`_env(`, `_env(a b)`) stays as it stands.
//
// Because the text that YAML sees differs from the one the author wrote, the places of all
// replacements are remembered: an error must point into the file on disk.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/environment.h"

namespace whittle::config {

struct Position {  // in a text file; both count from 1, columns in characters
  int line = 0;
  int column = 0;
};

// "build.yml:7:5", the path of an Error.
std::string place(std::string_view path, Position position);

class SubstitutedText {
 public:
  SubstitutedText(std::string_view original, const Environment& environment);

  const std::string& text() const { return text_; }

 private:
  friend class PositionCursor;
  struct Replacement {
    std::size_t original_begin, original_end;  // bytes of `_env(NAME)`
    std::size_t begin, end;                    // bytes of its value in text_
  };

  std::string original_, text_;
  std::vector<Replacement> replacements_;
};

// Goes through a substituted text once, from its beginning to its end, and says where in the
// original its places are. A text with many places to report costs no more than one walk.
class PositionCursor {
 public:
  explicit PositionCursor(const SubstitutedText& text) : text_(text) {}

  // Where in the original the character or byte `index` (from 0) of the substituted text comes
  // from. One out of a variable's value comes from the `_env` that named it. An index before one
  // that was asked for earlier gives the place of the earlier one.
  Position at_character(std::size_t index);
  Position at_byte(std::size_t index);

  // The byte of the substituted text that was reached.
  std::size_t byte() const { return byte_; }

 private:
  Position position();

  const SubstitutedText& text_;
  std::size_t byte_ = 0, character_ = 0;  // in the substituted text
  std::size_t replacement_ = 0;           // the first that does not end before byte_
  std::size_t original_byte_ = 0;
  Position original_{.line = 1, .column = 1};
};

}  // namespace whittle::config
