// SPDX-License-Identifier: MIT
#include "analyzer/compiler_notes.h"

#include <algorithm>

#include "common/text.h"

namespace whittle::analyzer {
namespace {

constexpr std::size_t kMaxNotes = 64, kMaxNote = 256;

void add(std::string_view text, std::vector<std::string>& notes) {
  text = text.substr(0, std::min(text.find('\0'), kMaxNote));
  if (text.empty() || notes.size() >= kMaxNotes) return;
  std::string note = printable(text);
  if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(std::move(note));
}

void add_comments(std::string_view section, std::vector<std::string>& notes) {
  while (!section.empty() && notes.size() < kMaxNotes) {
    add(section, notes);
    section.remove_prefix(std::min(section.find('\0'), section.size() - 1) + 1);
  }
}

// A build attribute is a note whose owner is the attribute: "GA", "$" for one with a text, its
// number or name, the text.
void add_build_attributes(const ByteReader& section, std::vector<std::string>& notes) {
  constexpr std::string_view kTool = "GA$\x05";
  constexpr std::uint64_t kHeader = 12;
  std::uint64_t at = 0;
  while (in_bounds(at, kHeader, section.size()) && notes.size() < kMaxNotes) {
    const std::uint64_t name_size = section.u32(at, "the length of a note's name");
    const std::uint64_t data_size = section.u32(at + 4, "the length of a note");
    at += kHeader;
    if (!in_bounds(at, name_size, section.size())) return;
    const std::string_view name = as_text(section.bytes().subspan(at, name_size));
    if (name.starts_with(kTool)) add(name.substr(kTool.size()), notes);
    at += align_up(name_size, 4) + align_up(data_size, 4);
  }
}

}  // namespace

std::vector<std::string> read_compiler_notes(const elf::File& file) {
  std::vector<std::string> notes;
  for (const elf::Section& section : file.sections()) {
    if (!section.has_bytes()) continue;
    const ByteView bytes = file.bytes().subspan(section.offset, section.size);
    if (section.name == ".comment") add_comments(as_text(bytes), notes);
    if (section.name.starts_with(".gnu.build.attributes")) {
      add_build_attributes(ByteReader(bytes, file.header().order, file.path()), notes);
    }
  }
  return notes;
}

}  // namespace whittle::analyzer
