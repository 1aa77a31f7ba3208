// SPDX-License-Identifier: MIT
//
// The module data of a Go program (common/go_buildinfo.h finds it) has a 16-byte sentinel at both
// ends, between them lines of tab-separated fields ("path", "mod", "dep", "=>", "build"). Source:
// Go's runtime/debug package.
//
// Some builds (Bazel's and other linkers') leave the header out. The version still stands in the
// variable runtime.buildVersion. Searching the text for "go1." alone is not enough: Go packs its
// strings without terminators, so "go1.26" may be followed by the ".5" of another string. The
// string header that points there has the true length.
#include "analyzer/go_buildinfo.h"

#include <algorithm>
#include <unordered_set>

#include "analyzer/go_functions.h"
#include "common/go_buildinfo.h"
#include "common/text.h"

namespace whittle::analyzer {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kSentinel = 16;

// The next of the tab-separated fields of `line`, which is cut from it.
std::string next_field(std::string_view& line) {
  const std::size_t tab = line.find('\t');
  const std::string_view field = line.substr(0, tab);
  line = tab == std::string_view::npos ? std::string_view() : line.substr(tab + 1);
  constexpr std::size_t kLongestField = 1024;
  return printable(field.substr(0, kLongestField));
}

// A Go string literal's text where it is one without escapes other than of quotes and backslashes.
std::string unquote(std::string text) {
  if (text.size() < 2 || text.front() != text.back()) return text;
  if (text.front() == '`') return text.substr(1, text.size() - 2);
  if (text.front() != '"') return text;
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); i++) {
    if (text[i] == '\\' && i + 2 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) i++;
    out += text[i];
  }
  return out;
}

bool is_version_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '-' || c == '+' || c == ':' || c == ' ';
}

bool is_writable_load(const elf::Segment& s) {
  return s.type == elf::kSegmentLoad && (s.flags & elf::kFlagWrite) != 0;
}

}  // namespace

void parse_go_modules(std::string_view text, GoBuildInfo& info) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const std::string kind = next_field(line);
    if (kind == "path") {
      info.main_package = next_field(line);
    } else if (kind == "mod" || kind == "dep") {
      Module module;
      module.path = next_field(line);
      module.version = next_field(line);
      module.sum = next_field(line);
      module.found_in = "build information";
      info.modules.push_back(std::move(module));
    } else if (kind == "build") {
      const std::string setting = next_field(line);
      const std::size_t equals = setting.find('=');
      if (equals == std::string::npos) continue;
      // Keys and values with blanks or quotes in them are quoted as Go quotes strings.
      info.settings.push_back(
          {unquote(setting.substr(0, equals)), unquote(setting.substr(equals + 1))});
    } else if (kind == "=>" && !info.modules.empty()) {
      Module& module = info.modules.back();
      module.replaced_by = next_field(line);
      if (const std::string version = next_field(line); !version.empty()) {
        module.replaced_by += "@" + version;
      }
      if (const std::string sum = next_field(line); !sum.empty()) module.sum = sum;
    }
  }
}

std::optional<GoBuildInfo> read_go_build_info(const elf::File& file) {
  const auto strings = elf::find_go_build_strings(file);
  if (!strings) return std::nullopt;
  GoBuildInfo info;
  info.version = printable(strings->version);
  const std::string_view modules = strings->modules;
  // As Go's reader does: without both sentinels and a final newline there is no module data.
  if (modules.size() > 2 * kSentinel && modules[modules.size() - kSentinel - 1] == '\n') {
    parse_go_modules(modules.substr(kSentinel, modules.size() - 2 * kSentinel), info);
  }
  return info;
}

bool is_go_program(const elf::File& file) {
  for (const auto name :
       {".gopclntab"sv, ".data.rel.ro.gopclntab"sv, ".go.buildinfo"sv, ".note.go.buildid"sv}) {
    if (file.find_section(name) != nullptr) return true;
  }
  for (const elf::Note& note : file.notes()) {
    if (note.owner == "Go" && note.type == elf::kNoteGoBuildId) return true;
  }
  // Section names are the faster answer, and where there are some, a complete one.
  return file.sections().empty() && has_go_functions(file);
}

std::string find_go_version(const elf::File& file) {
  constexpr std::size_t kMaxCandidates = 4096;
  constexpr std::uint64_t kShortest = 5;   // "go1.0"
  constexpr std::uint64_t kLongest = 128;  // with experiments: "go1.21.3 X:boringcrypto"
  std::unordered_set<std::uint64_t> addresses;
  for (const elf::Segment& s : file.segments()) {
    if (s.type != elf::kSegmentLoad) continue;
    const auto text = as_text(file.bytes().subspan(s.offset, s.filesz));
    for (auto at = text.find("go1.");
         at != std::string_view::npos && addresses.size() < kMaxCandidates;
         at = text.find("go1.", at + 1)) {
      addresses.insert(s.vaddr + at);
    }
  }
  if (addresses.empty()) return {};
  const std::uint64_t word = file.header().is_64bit ? 8 : 4;
  const elf::GoStringReader reader(file, word, file.header().order);
  for (const elf::Segment& s : file.segments()) {
    if (!is_writable_load(s)) continue;
    for (std::uint64_t at = 0; in_bounds(at, 2 * word, s.filesz); at += word) {
      if (!addresses.contains(reader.read(s.offset + at))) continue;
      const std::uint64_t length = reader.read(s.offset + at + word);
      if (length < kShortest || length > kLongest) continue;
      const auto text = reader.go_string(s.vaddr + at, kLongest);
      if (text && std::all_of(text->begin(), text->end(), is_version_character)) {
        return std::string(*text);
      }
    }
  }
  return {};
}

}  // namespace whittle::analyzer
