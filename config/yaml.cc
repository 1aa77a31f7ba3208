// SPDX-License-Identifier: MIT
#include "config/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "common/suggest.h"
#include "common/text.h"

namespace whittle::config {
namespace {

using Kind = YamlNode::Kind;

// Far more than any build file holds, little enough to be read in an instant.
constexpr std::uint64_t kBudget = std::uint64_t{16} << 20;

constexpr std::string_view kStandardTags = "tag:yaml.org,2002:";
constexpr std::string_view kBooleanTag = "tag:yaml.org,2002:bool";

// YAML 1.1's words, as Habitus's reader has them.
constexpr std::string_view kTrue[] = {"y",  "Y",  "yes",  "Yes",  "YES", "true",
                                      "on", "On", "True", "TRUE", "ON"};
constexpr std::string_view kFalse[] = {"n",   "N",   "no",    "No",    "NO", "false",
                                       "off", "Off", "False", "FALSE", "OFF"};
constexpr std::string_view kNull[] = {"", "~", "null", "Null", "NULL"};

template <std::size_t N>
bool is_one_of(const std::string& text, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

// "tag:yaml.org,2002:int" is written "!!int".
std::string written(const std::string& tag) {
  return tag.starts_with(kStandardTags) ? "!!" + tag.substr(kStandardTags.size()) : tag;
}

}  // namespace

Value Document::root() const { return Value(*this, tree_.root(), ""); }

Value::Value(const Document& document, const YamlNode& node, std::string name)
    : document_(&document), node_(&node), name_(std::move(name)) {
  document_->read_ += 1 + name_.size() + node_->text.size();
  if (document_->read_ > kBudget) {
    fail("makes the file larger than 16 MiB; aliases (*name) repeat too much");
  }
  check_tag(node);
}

bool Value::is_null() const {
  return node_->kind == Kind::scalar && node_->plain && node_->tag.empty() &&
         is_one_of(node_->text, kNull);
}

std::string_view Value::type_name() const {
  switch (node_->kind) {
    case Kind::list:
      return "a list";
    case Kind::mapping:
      return "a mapping";
    case Kind::scalar:
      break;
  }
  return is_null() ? "empty" : "a text";
}

// `!` alone says "not by its looks": a text, where it is a scalar.
void Value::check_tag(const YamlNode& node) const {
  const std::string& tag = node.tag;
  if (tag.empty() || tag == "!") return;
  const auto is = [&](std::string_view name) {
    return tag.starts_with(kStandardTags) && tag.substr(kStandardTags.size()) == name;
  };
  const bool known = node.kind == Kind::list      ? is("seq")
                     : node.kind == Kind::mapping ? is("map")
                                                  : is("str") || is("bool");
  if (known) return;
  fail_at(node, fmt::format("{}the tag `{}` has no meaning here; leave it out",
                            name_.empty() ? "" : fmt::format("`{}`: ", printable(name_)),
                            printable(written(tag))));
}

void Value::fail_at(const YamlNode& node, std::string_view message) const {
  throw Error(ErrorKind::usage, place(document_->path_, node.position), message);
}

void Value::fail(std::string_view message) const {
  fail_at(*node_,
          name_.empty() ? std::string(message) : fmt::format("`{}` {}", printable(name_), message));
}

void Value::fail_type(std::string_view wanted) const {
  fail(fmt::format("is {}, but must be {}", type_name(), wanted));
}

std::string Value::text_or_empty() const {
  if (node_->kind != Kind::scalar || is_null()) fail_type("a text");
  if (node_->tag == kBooleanTag) fail("is a boolean by its tag `!!bool`, but must be a text");
  if (node_->text.find('\0') != std::string::npos) fail("contains a NUL byte");
  return node_->text;
}

std::string Value::text() const {
  std::string text = text_or_empty();
  if (text.empty()) fail("must not be empty");
  return text;
}

bool Value::boolean() const {
  if (node_->kind == Kind::scalar && (node_->tag.empty() || node_->tag == kBooleanTag)) {
    if (is_one_of(node_->text, kTrue)) return true;
    if (is_one_of(node_->text, kFalse)) return false;
  }
  fail(fmt::format("must be `true` or `false`, not {}",
                   node_->kind == Kind::scalar && !is_null()
                       ? fmt::format("`{}`", printable(node_->text))
                       : std::string(type_name())));
}

std::vector<Value> Value::list() const {
  if (node_->kind != Kind::list) fail_type("a list");
  std::vector<Value> values;
  for (const YamlNode* item : node_->children) {
    values.emplace_back(*document_, *item, fmt::format("{}[{}]", name_, values.size()));
  }
  return values;
}

std::vector<std::string> Value::texts() const {
  std::vector<std::string> texts;
  for (const Value& item : list()) texts.push_back(item.text_or_empty());
  return texts;
}

Value Value::item(std::size_t index) const {
  return node_->kind == Kind::mapping ? entries().at(index).second : list().at(index);
}

std::vector<std::pair<std::string, Value>> Value::entries() const {
  if (node_->kind != Kind::mapping) fail_type("a mapping");
  std::vector<std::pair<std::string, Value>> entries;
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i + 1 < node_->children.size(); i += 2) {
    const YamlNode& key = *node_->children[i];
    if (key.kind != Kind::scalar || key.text.empty() || printable(key.text) != key.text) {
      fail_at(key, "a key must be plain text");
    }
    check_tag(key);
    if (!seen.insert(key.text).second) {
      fail_at(key, fmt::format("the key `{}` is given twice", key.text));
    }
    entries.emplace_back(key.text, Value(*document_, *node_->children[i + 1],
                                         name_.empty() ? key.text : name_ + "." + key.text));
  }
  return entries;
}

std::vector<std::pair<std::string, std::string>> Value::assignments() const {
  std::vector<std::pair<std::string, std::string>> assignments;
  if (node_->kind == Kind::mapping) {
    for (const auto& [key, value] : entries()) assignments.emplace_back(key, value.text_or_empty());
    return assignments;
  }
  if (node_->kind != Kind::list) fail_type("a mapping or a list of KEY=VALUE");
  for (const Value& item : list()) {
    const std::string text = item.text();
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) item.fail("must be of the form KEY=VALUE");
    assignments.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return assignments;
}

Mapping::Mapping(const Value& value, const std::vector<std::string>& known)
    : value_(value), entries_(value.entries()) {
  for (std::size_t i = 0; i < entries_.size(); i++) {
    const std::string& key = entries_[i].first;
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string where =
        value_.name_.empty() ? "" : fmt::format(" in `{}`", printable(value_.name_));
    value_.fail_at(*value_.node_->children[2 * i],
                   fmt::format("unknown key `{}`{}{}", key, where, did_you_mean(key, known)));
  }
}

std::optional<Value> Mapping::find(std::string_view key) const {
  for (const auto& [name, value] : entries_) {
    if (name == key) return value;
  }
  return std::nullopt;
}

Value Mapping::require(std::string_view key) const {
  if (auto value = find(key)) return *value;
  value_.fail(fmt::format("needs the key `{}`", key));
}

}  // namespace whittle::config
