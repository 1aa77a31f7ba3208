// SPDX-License-Identifier: MIT
#include "flow/line_reader.h"

#include <utility>

namespace whittle::flow {
namespace {

// Of UTF-8: a line is not cut within a character.
bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

LineReader::LineReader(ScriptMarks marks, OnLine on_line, OnMark on_mark)
    : marks_(std::move(marks)), on_line_(std::move(on_line)), on_mark_(std::move(on_mark)) {}

void LineReader::take(std::string_view bytes) {
  for (const char c : bytes) take(c);
}

void LineReader::take(char c) {
  if (!mark_.empty() || c == ScriptMarks::kBegin) {
    take_of_mark(c);
  } else {
    take_of_line(c);
  }
}

void LineReader::take_of_line(char c) {
  if (c == '\n') return emit();
  if (c == '\r') {
    returned_ = true;
    return;
  }
  if (std::exchange(returned_, false)) line_.clear();
  if (line_.size() >= kMaxLine && (!continues_character(c) || line_.size() >= kMaxLine + 3)) emit();
  line_ += c;
}

// What begins like a mark and goes on otherwise is output, except that its last character may begin
// the next mark.
void LineReader::take_of_mark(char c) {
  mark_ += c;
  if (!marks_.may_begin_with(mark_)) {
    mark_.pop_back();
    for (const char plain : std::exchange(mark_, {})) take_of_line(plain);
    return take(c);
  }
  if (c != '\n') return;
  if (!line_.empty()) emit();
  on_mark_(marks_.parse(std::exchange(mark_, {})));
}

void LineReader::finish() {
  for (const char plain : std::exchange(mark_, {})) take_of_line(plain);
  if (!line_.empty()) emit();
}

void LineReader::emit() {
  returned_ = false;
  const std::string line = std::exchange(line_, {});
  if (marks_.is_trace(line)) return;
  on_line_(line);
  tail_.push_back(line);
  if (tail_.size() > kTailLines) tail_.pop_front();
}

}  // namespace whittle::flow
