// SPDX-License-Identifier: MIT
#include "config/yaml_tree.h"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <map>
#include <new>
#include <optional>

#include "common/error.h"
#include "common/text.h"

namespace whittle::config {
namespace {

constexpr std::size_t kMaxDepth = 500;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string text_of(const yaml_char_t* text) {
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

class Event {
 public:
  Event() = default;
  ~Event() { yaml_event_delete(&event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  yaml_event_t* operator->() { return &event_; }
  yaml_event_t* get() { return &event_; }

 private:
  yaml_event_t event_{};
};

class Parser {
 public:
  explicit Parser(std::string_view text) {
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    // Not by the first bytes: those of UTF-16 would turn all positions into others.
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  ~Parser() { yaml_parser_delete(&parser_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  yaml_parser_t* operator->() { return &parser_; }
  bool parse(Event& event) { return yaml_parser_parse(&parser_, event.get()) != 0; }

 private:
  yaml_parser_t parser_;
};

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == line.npos; }

}  // namespace

// Turns libyaml's events into a tree.
class YamlComposer {
 public:
  YamlComposer(YamlTree& tree, const SubstitutedText& text, std::string_view path)
      : tree_(tree),
        text_(text),
        path_(path),
        skipped_(text.text().starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0),
        parser_(std::string_view(text.text()).substr(skipped_)),
        cursor_(text) {}

  void compose() {
    while (true) {
      Event event;
      if (!parser_.parse(event)) fail_parse();
      switch (event->type) {
        case YAML_DOCUMENT_START_EVENT:
          if (tree_.root_ != nullptr) fail_second_document(event->start_mark);
          break;
        case YAML_ALIAS_EVENT:
          add_alias(*event.get());
          break;
        case YAML_SCALAR_EVENT:
          add_scalar(*event.get());
          break;
        case YAML_SEQUENCE_START_EVENT: {
          const auto& start = event->data.sequence_start;
          open(*event.get(), YamlNode::Kind::list, start.anchor, start.tag,
               start.style == YAML_FLOW_SEQUENCE_STYLE);
          break;
        }
        case YAML_MAPPING_START_EVENT: {
          const auto& start = event->data.mapping_start;
          open(*event.get(), YamlNode::Kind::mapping, start.anchor, start.tag,
               start.style == YAML_FLOW_MAPPING_STYLE);
          break;
        }
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
          open_.pop_back();
          break;
        case YAML_STREAM_END_EVENT:
          if (tree_.root_ == nullptr) add_nothing();
          return;
        case YAML_NO_EVENT:
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
          break;
      }
    }
  }

 private:
  struct Open {
    YamlNode* node;
    std::optional<std::size_t> indentation;  // spaces before a block's entries; none at the root
  };

  // Marks count characters and do not count the byte order mark.
  std::size_t character(const yaml_mark_t& mark) const {
    return mark.index + (skipped_ != 0 ? 1 : 0);
  }
  Position position(const yaml_mark_t& mark) const {
    return PositionCursor(text_).at_character(character(mark));
  }

  [[noreturn]] void fail(Position position, std::string_view message) const {
    throw Error(ErrorKind::usage, place(path_, position), message);
  }

  [[noreturn]] void fail_second_document(const yaml_mark_t& mark) const {
    fail(position(mark), "what begins here is not part of the file's one YAML document");
  }

  YamlNode* add(YamlNode::Kind kind, Position position) {
    YamlNode& node = tree_.nodes_.emplace_back();
    node.kind = kind;
    node.position = position;
    put(&node);
    return &node;
  }

  void add_nothing() { add(YamlNode::Kind::scalar, {.line = 1, .column = 1})->plain = true; }

  void put(const YamlNode* node) {
    if (open_.empty()) {
      tree_.root_ = node;
    } else {
      open_.back().node->children.push_back(node);
    }
  }

  YamlNode* add(const yaml_event_t& event, YamlNode::Kind kind, const yaml_char_t* anchor,
                const yaml_char_t* tag) {
    YamlNode* node = add(kind, cursor_.at_character(character(event.start_mark)));
    node->tag = text_of(tag);
    if (anchor != nullptr) anchors_[text_of(anchor)] = node;
    return node;
  }

  void add_alias(const yaml_event_t& event) {
    const std::string name = text_of(event.data.alias.anchor);
    const auto anchor = anchors_.find(name);
    if (anchor == anchors_.end()) {
      fail(position(event.start_mark),
           fmt::format("`*{0}` repeats a value that nothing before it names `&{0}`",
                       printable(name)));
    }
    put(anchor->second);
  }

  void add_scalar(const yaml_event_t& event) {
    const auto& scalar = event.data.scalar;
    const bool quoted = scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
                        scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    YamlNode* node = add(event, YamlNode::Kind::scalar, scalar.anchor, scalar.tag);
    node->plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
    if (quoted && event.start_mark.line != event.end_mark.line) check_quoted_lines(event);
  }

  void open(const yaml_event_t& event, YamlNode::Kind kind, const yaml_char_t* anchor,
            const yaml_char_t* tag, bool is_flow) {
    if (open_.size() == kMaxDepth) {
      fail(position(event.start_mark),
           fmt::format("is nested too deeply: more than {} levels", kMaxDepth));
    }
    std::optional<std::size_t> indentation;
    if (!open_.empty()) indentation = open_.back().indentation;
    // With an anchor or a tag, the event begins there and not at the first entry, which is indented
    // at least as deep as what is around it.
    if (!is_flow && anchor == nullptr && tag == nullptr) indentation = event.start_mark.column;
    open_.push_back({add(event, kind, anchor, tag), indentation});
  }

  // Every line of a quoted text but the first, and but blank ones, is indented deeper than the
  // block that holds it.
  void check_quoted_lines(const yaml_event_t& event) {
    if (open_.empty() || !open_.back().indentation) return;
    const std::size_t indentation = *open_.back().indentation;
    const std::string_view text = text_.text();
    const std::size_t begin = byte_of(event.start_mark), end = byte_of(event.end_mark);
    for (std::size_t at = text.find('\n', begin); at < end; at = text.find('\n', at)) {
      at++;
      const std::string_view line = text.substr(at, std::min(text.find('\n', at), end) - at);
      if (is_blank(line) || line.find_first_not_of(' ') > indentation) continue;
      const char quote = event.data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ? '\'' : '"';
      const Position place_of_line = PositionCursor(text_).at_byte(at);
      fail(PositionCursor(text_).at_byte(std::min(text.find(quote, begin), end)),
           fmt::format("the quote ({}) that begins here is not closed before line {}, which is not "
                       "indented deeper than what holds the quote; close the quote or indent the "
                       "line",
                       quote, place_of_line.line));
    }
  }

  // The bytes of the substituted text before the mark. Marks come in order.
  std::size_t byte_of(const yaml_mark_t& mark) {
    bytes_.at_character(character(mark));
    return bytes_.byte();
  }

  [[noreturn]] void fail_parse() {
    const std::string problem = parser_->problem == nullptr ? "" : parser_->problem;
    const std::string context = parser_->context == nullptr ? "" : parser_->context;
    const Position at = position(parser_->problem_mark);
    switch (parser_->error) {
      case YAML_MEMORY_ERROR:
        throw std::bad_alloc();
      case YAML_READER_ERROR:
        fail(PositionCursor(text_).at_byte(skipped_ + parser_->problem_offset),
             problem.find("UTF-8") != problem.npos
                 ? std::string("is not UTF-8 text")
                 : fmt::format("there is the character U+{:04X}, which YAML does not allow; write "
                               "it as an escape in double quotes",
                               parser_->problem_value));
      default:
        break;
    }
    if (context == "while scanning a quoted scalar") {
      const Position quote = position(parser_->context_mark);
      if (problem == "found unexpected end of stream") {
        fail(quote, "the quote that begins here is never closed");
      }
      if (problem == "found unexpected document indicator") {
        fail(quote, fmt::format("the quote that begins here is not closed before the end of the "
                                "document in line {}",
                                at.line));
      }
    }
    if (problem == "did not find expected <document start>") {
      fail_second_document(parser_->problem_mark);
    }
    const std::string_view rest = rest_of_text(parser_->problem_mark);
    const bool no_token = problem == "found character that cannot start any token";
    if (rest.starts_with('\t') && (no_token || problem.find("tab character") != problem.npos)) {
      fail(at, "a tab is where YAML takes only spaces; indent with spaces");
    }
    if (no_token && !rest.empty()) {
      fail(at, fmt::format("no text without quotes begins with '{}'; put it in quotes",
                           printable(rest.substr(0, 1))));
    }
    std::string message = "is not YAML: " + problem;
    if (!context.empty()) {
      const Position begin = position(parser_->context_mark);
      message += fmt::format(" {}, which begins at {}:{}", context, begin.line, begin.column);
    }
    fail(at, printable(message));
  }

  std::string_view rest_of_text(const yaml_mark_t& mark) const {
    PositionCursor cursor(text_);
    cursor.at_character(character(mark));
    return std::string_view(text_.text()).substr(cursor.byte());
  }

  YamlTree& tree_;
  const SubstitutedText& text_;
  const std::string path_;
  const std::size_t skipped_;  // bytes before what libyaml reads
  Parser parser_;
  PositionCursor cursor_;  // at the beginnings of events
  PositionCursor bytes_{text_};
  std::vector<Open> open_;
  std::map<std::string, const YamlNode*> anchors_;
};

YamlTree::YamlTree(const SubstitutedText& text, std::string_view path) {
  YamlComposer(*this, text, path).compose();
}

}  // namespace whittle::config
