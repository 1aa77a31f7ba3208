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
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace whittle::flow {

using Environment = std::map<std::string, std::string>;

// The environment of this process.
Environment process_environment();

struct Position {  // in a text file; both count from 1, columns in characters
  int line = 0;
  int column = 0;
};

class SubstitutedText {
 public:
  SubstitutedText(std::string_view original, const Environment& environment);

  const std::string& text() const { return text_; }

  // Where in the original the byte `column` of line `line` of `text` (both from 0) comes from. A
  // byte out of a variable's value comes from the `_env` that named it.
  Position original_position(int line, int column) const;

 private:
  struct Replacement {
    std::size_t original_begin, original_end;  // bytes of `_env(NAME)`
    std::size_t begin, end;                    // bytes of its value in text_
  };

  std::string original_, text_;
  std::vector<Replacement> replacements_;
};

}  // namespace whittle::flow
