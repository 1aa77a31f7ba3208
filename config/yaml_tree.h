// SPDX-License-Identifier: MIT
//
// The one YAML document of a file as a tree of values that know where they stand. libyaml reads the
// text, as strictly as Habitus's reader, which was made from it. What it lets pass, or reports
// where the fault only shows, is checked here:
//
// - A quote that is not closed. With no other quote after it, it takes in the rest of the file;
// else
//   it ends at the next quote, and the text behind that one is what libyaml complains about. YAML
//   wants every line of a quoted text to be indented deeper than the mapping or list around it
//   (YAML 1.2, 6.1), so the first line that is not shows which quote was left open.
// - A second document, which nothing would ever read.
//
// Hostile input: nesting is bounded, and an alias is a second reference to the one value that it
// repeats, so the tree is never larger than the text.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "config/substitute.h"

namespace whittle::config {

struct YamlNode {
  enum class Kind { scalar, list, mapping };
  Kind kind = Kind::scalar;
  bool plain = false;  // a scalar without quotes that is no block
  std::string tag;     // "tag:yaml.org,2002:str", "!local"; empty where none is written
  std::string text;    // of a scalar
  std::vector<const YamlNode*> children;  // of a mapping: key, value, key, value, …
  Position position;                      // in the file as it was written
};

class YamlTree {
 public:
  // Throws Error{usage} with line and column where the text is not UTF-8, not YAML, nested more
  // than 500 levels deep, or more than one document. `path` is for messages.
  YamlTree(const SubstitutedText& text, std::string_view path);

  const YamlNode& root() const { return *root_; }

 private:
  friend class YamlComposer;
  std::deque<YamlNode> nodes_;  // a deque keeps them where they are
  const YamlNode* root_ = nullptr;
};

}  // namespace whittle::config
