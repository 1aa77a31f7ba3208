// SPDX-License-Identifier: MIT
//
// What a build file asks of YAML: every value knows where it stands, what it is called, and how to
// complain. config/yaml_tree.h turns text into nodes; this layer asks the questions (is it a list?
// a known key?) and words the answers, "build.yml:7:5: unknown key `depends`; did you mean
// `depends_on`?".
//
// A tag (`!name`) asks for a type or a meaning of its own. Those of text, lists, mappings and
// booleans (`!!str`, `!!seq`, `!!map`, `!!bool`) are taken where such a value is; any other has no
// meaning here and is an error.
//
// Hostile input: the tree is no larger than the text, but a list of aliases to one long text
// multiplies it when it is read (the "billion laughs"). Each value read is therefore charged to a
// budget of the document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"
#include "config/substitute.h"
#include "config/yaml_tree.h"

namespace whittle::config {

class Value;

class Document {
 public:
  // Parses the one YAML document in `text`. Throws what YamlTree throws.
  Document(const SubstitutedText& text, std::string_view path) : path_(path), tree_(text, path) {}

  Value root() const;

 private:
  friend class Value;
  std::string path_;
  YamlTree tree_;
  mutable std::uint64_t read_ = 0;  // bytes charged so far
};

// A node, and what an error calls it: "`build.steps.web.env`".
class Value {
 public:
  Value(const Document& document, const YamlNode& node, std::string name);

  const std::string& name() const { return name_; }
  Position position() const { return node_->position; }

  // Each throws Error{usage} at this value where it is of another type.
  std::string text() const;  // a scalar that is not empty
  std::string text_or_empty() const;
  bool boolean() const;
  std::vector<Value> list() const;
  std::vector<std::string> texts() const;  // a list of scalars
  // The value of an entry of a list or a mapping, from 0; there must be one.
  Value item(std::size_t index) const;

  // A mapping in the order of the file, any key. A key that stands twice is an error.
  std::vector<std::pair<std::string, Value>> entries() const;
  // A mapping of texts, or a list of "KEY=VALUE" (the value may hold further `=`).
  std::vector<std::pair<std::string, std::string>> assignments() const;

  // Throws Error{usage} that points here: "PATH:LINE:COLUMN: NAME MESSAGE".
  [[noreturn]] void fail(std::string_view message) const;

  // Applies a rule of another room to this value: an error that names no place points here.
  template <typename Rule>
  void check(Rule rule) const {
    try {
      rule();
    } catch (const Error& error) {
      if (!error.path().empty()) throw;
      fail("is wrong: " + error.message());
    }
  }

 private:
  friend class Mapping;
  bool is_null() const;
  std::string_view type_name() const;
  void check_tag(const YamlNode& node) const;
  [[noreturn]] void fail_at(const YamlNode& node, std::string_view message) const;
  [[noreturn]] void fail_type(std::string_view wanted) const;

  const Document* document_;
  const YamlNode* node_;
  std::string name_;
};

// A mapping whose keys are known. Any other key is an error with a suggestion.
class Mapping {
 public:
  Mapping(const Value& value, const std::vector<std::string>& known);

  std::optional<Value> find(std::string_view key) const;
  Value require(std::string_view key) const;

 private:
  Value value_;
  std::vector<std::pair<std::string, Value>> entries_;
};

}  // namespace whittle::config
