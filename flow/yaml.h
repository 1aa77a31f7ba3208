// SPDX-License-Identifier: MIT
//
// YAML as a build file needs it: every value knows where it stands, what it is called, and how to
// complain. yaml-cpp turns text into nodes; this layer asks the questions (is it a list? a known
// key?) and words the answers, "build.yml:7:5: unknown key `depends`; did you mean `depends_on`?".
//
// Hostile input: yaml-cpp bounds its own recursion (500 levels) and keeps an alias as a reference,
// so that parsing is linear. Reading is not: a list of aliases to one long text multiplies it (the
// "billion laughs"). Each value read is therefore charged to a budget of the document.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flow/substitute.h"

namespace whittle::flow {

class Value;

class Document {
 public:
  // Parses the one YAML document in `text`. Throws Error{usage} with line and column where it is
  // not YAML, nested too deeply, or more than one document.
  Document(const SubstitutedText& text, std::string_view path);

  Value root() const;

 private:
  friend class Value;
  const SubstitutedText& text_;
  std::string path_;
  YAML::Node root_;
  mutable std::uint64_t read_ = 0;  // bytes charged so far
};

// A node, and what an error calls it: "`build.steps.web.env`".
class Value {
 public:
  Value(const Document& document, YAML::Node node, std::string name);

  const std::string& name() const { return name_; }
  Position position() const;

  // Each throws Error{usage} at this value where it is of another type.
  std::string text() const;  // a scalar that is not empty
  std::string text_or_empty() const;
  bool boolean() const;
  std::vector<Value> list() const;
  std::vector<std::string> texts() const;  // a list of scalars

  // A mapping in the order of the file, any key. A key that stands twice is an error.
  std::vector<std::pair<std::string, Value>> entries() const;
  // A mapping of texts, or a list of "KEY=VALUE" (the value may hold further `=`).
  std::vector<std::pair<std::string, std::string>> assignments() const;

  // Throws Error{usage} that points here: "PATH:LINE:COLUMN: NAME MESSAGE".
  [[noreturn]] void fail(std::string_view message) const;

 private:
  friend class Mapping;
  [[noreturn]] void fail_at(const YAML::Mark& mark, std::string_view message) const;
  [[noreturn]] void fail_type(std::string_view wanted) const;

  const Document* document_;
  YAML::Node node_;
  std::string name_;
};

// A mapping whose keys are known. Any other key is an error with a suggestion.
class Mapping {
 public:
  Mapping(const Value& value, std::initializer_list<const char*> keys);

  std::optional<Value> find(std::string_view key) const;
  Value require(std::string_view key) const;

 private:
  Value value_;
  std::vector<std::pair<std::string, Value>> entries_;
};

}  // namespace whittle::flow
