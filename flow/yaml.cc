// SPDX-License-Identifier: MIT
#include "flow/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "common/error.h"
#include "common/text.h"
#include "flow/suggest.h"

namespace whittle::flow {
namespace {

// Far more than any build file holds, little enough to be read in an instant.
constexpr std::uint64_t kBudget = std::uint64_t{16} << 20;

Error error_at(std::string_view path, Position position, std::string_view message) {
  return Error(ErrorKind::usage, fmt::format("{}:{}:{}", path, position.line, position.column),
               message);
}

std::string_view type_name(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return "a text";
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a mapping";
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined:
      break;
  }
  return "empty";
}

// Notes where documents begin and nothing else.
class DocumentStarts : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { last = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  YAML::Mark last;
};

// Where a second document begins, if one does. Not by YAML::LoadAll: at a token that begins no node
// (a stray comma) yaml-cpp makes empty documents for ever without moving on.
std::optional<YAML::Mark> second_document(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStarts starts;
  if (!parser.HandleNextDocument(starts) || !parser.HandleNextDocument(starts)) return std::nullopt;
  return starts.last;
}

}  // namespace

Document::Document(const SubstitutedText& text, std::string_view path) : text_(text), path_(path) {
  try {
    if (const auto mark = second_document(text.text())) {
      throw error_at(path, text.original_position(mark->line, mark->column),
                     "what begins here is not part of the one YAML document of a build file");
    }
    root_.reset(YAML::Load(text.text()));
  } catch (const YAML::DeepRecursion& error) {
    throw error_at(path, text.original_position(error.mark.line, error.mark.column),
                   "is nested too deeply to be a build file");
  } catch (const YAML::Exception& error) {
    throw error_at(path, text.original_position(error.mark.line, error.mark.column),
                   fmt::format("is not YAML: {}", printable(error.msg)));
  }
}

Value Document::root() const { return Value(*this, root_, ""); }

Value::Value(const Document& document, YAML::Node node, std::string name)
    : document_(&document), node_(std::move(node)), name_(std::move(name)) {
  document_->read_ += 1 + name_.size() + (node_.IsScalar() ? node_.Scalar().size() : 0);
  if (document_->read_ > kBudget) {
    fail("makes the build file larger than 16 MiB; aliases (*name) repeat too much");
  }
}

Position Value::position() const {
  const YAML::Mark mark = node_.Mark();
  return document_->text_.original_position(mark.line, mark.column);
}

void Value::fail_at(const YAML::Mark& mark, std::string_view message) const {
  throw error_at(document_->path_, document_->text_.original_position(mark.line, mark.column),
                 message);
}

void Value::fail(std::string_view message) const {
  fail_at(node_.Mark(),
          name_.empty() ? std::string(message) : fmt::format("`{}` {}", printable(name_), message));
}

void Value::fail_type(std::string_view wanted) const {
  fail(fmt::format("is {}, but must be {}", type_name(node_), wanted));
}

std::string Value::text_or_empty() const {
  if (!node_.IsScalar()) fail_type("a text");
  if (node_.Scalar().find('\0') != std::string::npos) fail("contains a NUL byte");
  return node_.Scalar();
}

std::string Value::text() const {
  std::string text = text_or_empty();
  if (text.empty()) fail("must not be empty");
  return text;
}

bool Value::boolean() const {
  bool value = false;
  if (!node_.IsScalar() || !YAML::convert<bool>::decode(node_, value)) {
    fail(fmt::format("must be `true` or `false`, not {}",
                     node_.IsScalar() ? fmt::format("`{}`", printable(node_.Scalar()))
                                      : std::string(type_name(node_))));
  }
  return value;
}

std::vector<Value> Value::list() const {
  if (!node_.IsSequence()) fail_type("a list");
  std::vector<Value> values;
  for (const YAML::Node& item : node_) {
    values.emplace_back(*document_, item, fmt::format("{}[{}]", name_, values.size()));
  }
  return values;
}

std::vector<std::string> Value::texts() const {
  std::vector<std::string> texts;
  for (const Value& item : list()) texts.push_back(item.text_or_empty());
  return texts;
}

std::vector<std::pair<std::string, Value>> Value::entries() const {
  if (!node_.IsMap()) fail_type("a mapping");
  std::vector<std::pair<std::string, Value>> entries;
  std::set<std::string> seen;
  for (const auto& entry : node_) {
    if (!entry.first.IsScalar() || entry.first.Scalar().empty() ||
        printable(entry.first.Scalar()) != entry.first.Scalar()) {
      fail_at(entry.first.Mark(), "a key must be plain text");
    }
    const std::string& key = entry.first.Scalar();
    if (!seen.insert(key).second) {
      fail_at(entry.first.Mark(), fmt::format("the key `{}` is given twice", key));
    }
    entries.emplace_back(key,
                         Value(*document_, entry.second, name_.empty() ? key : name_ + "." + key));
  }
  return entries;
}

std::vector<std::pair<std::string, std::string>> Value::assignments() const {
  std::vector<std::pair<std::string, std::string>> assignments;
  if (node_.IsMap()) {
    for (const auto& [key, value] : entries()) assignments.emplace_back(key, value.text_or_empty());
    return assignments;
  }
  if (!node_.IsSequence()) fail_type("a mapping or a list of KEY=VALUE");
  for (const Value& item : list()) {
    const std::string text = item.text();
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) item.fail("must be of the form KEY=VALUE");
    assignments.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return assignments;
}

Mapping::Mapping(const Value& value, std::initializer_list<const char*> keys)
    : value_(value), entries_(value.entries()) {
  const std::vector<std::string> known(keys.begin(), keys.end());
  for (const auto& entry : value_.node_) {
    const std::string& key = entry.first.Scalar();
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string where =
        value_.name_.empty() ? "" : fmt::format(" in `{}`", printable(value_.name_));
    value_.fail_at(entry.first.Mark(),
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

}  // namespace whittle::flow
