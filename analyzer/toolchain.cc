// SPDX-License-Identifier: MIT
//
// Who made this program? Compilers sign their work in .comment, one string for each of them that
// had a hand in it; stripping takes that section away, so every language also has a sign that
// stays:
//
//   Go    build information in the data, see go_buildinfo.cc
//   Rust  paths of the standard library in panic messages: /rustc/<commit>/library/…
//   glibc the note GNU/ABI-tag that its start-up code carries; sections __libc_* before stripping
//   musl  two neighbours of its table of error messages
//
// A Go program that calls C has both: the language is that of the outer one, the C library is told
// besides. EI_OSABI "GNU" alone only says that some GNU extension is used, so it comes last.
#include "analyzer/toolchain.h"

#include <algorithm>
#include <set>

#include "analyzer/go_buildinfo.h"
#include "common/text.h"

namespace whittle::analyzer {
namespace {

using namespace std::string_view_literals;

bool contains_text(const elf::File& file, std::string_view wanted) {
  return std::any_of(file.segments().begin(), file.segments().end(), [&](const elf::Segment& s) {
    return s.type == elf::kSegmentLoad &&
           as_text(file.bytes().subspan(s.offset, s.filesz)).find(wanted) != std::string_view::npos;
  });
}

// The strings of .comment, each once.
std::vector<std::string> read_comments(const elf::File& file) {
  const elf::Section* section = file.find_section(".comment");
  if (section == nullptr || !section->has_bytes()) return {};
  std::string_view text = as_text(file.bytes().subspan(section->offset, section->size));
  constexpr std::size_t kMaxComments = 64;
  std::vector<std::string> comments;
  while (!text.empty() && comments.size() < kMaxComments) {
    const std::size_t end = text.find('\0');
    const std::string comment = printable(text.substr(0, std::min<std::size_t>(end, 256)));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (comment.empty()) continue;
    if (std::find(comments.begin(), comments.end(), comment) == comments.end()) {
      comments.push_back(comment);
    }
  }
  return comments;
}

std::string find_libc(const elf::File& file, const std::string& interpreter,
                      const std::vector<std::string>& needed) {
  if (interpreter.find("/ld-musl-") != std::string::npos) return "musl";
  if (interpreter.find("/ld-linux") != std::string::npos ||
      std::find(needed.begin(), needed.end(), "libc.so.6") != needed.end()) {
    return "glibc";
  }
  for (const std::string& library : needed) {
    if (library.starts_with("libc.musl-")) return "musl";
  }
  for (const elf::Note& note : file.notes()) {
    if (note.owner == "GNU" && note.type == elf::kNoteGnuAbiTag) return "glibc";
  }
  for (const elf::Section& section : file.sections()) {
    if (section.name.starts_with("__libc_")) return "glibc";
  }
  if (contains_text(file, "No error information\0Illegal byte sequence"sv)) return "musl";
  constexpr std::uint8_t kOsAbiGnu = 3;
  return file.header().os_abi == kOsAbiGnu ? "glibc" : "";
}

// "rustc version …" of .comment, or the commit in a path of Rust's standard library.
std::string find_rust_compiler(const elf::File& file, const std::vector<std::string>& comments) {
  for (const std::string& comment : comments) {
    if (comment.starts_with("rustc version")) return comment;
  }
  constexpr std::string_view kPrefix = "/rustc/";
  constexpr std::size_t kCommit = 40;  // hexadecimal digits
  for (const elf::Segment& s : file.segments()) {
    if (s.type != elf::kSegmentLoad) continue;
    const auto text = as_text(file.bytes().subspan(s.offset, s.filesz));
    for (auto at = text.find(kPrefix); at != std::string_view::npos;
         at = text.find(kPrefix, at + 1)) {
      const std::string_view rest = text.substr(at + kPrefix.size());
      const std::string_view commit = rest.substr(0, kCommit);
      if (commit.find_first_not_of("0123456789abcdef") == std::string_view::npos &&
          rest.substr(commit.size()).starts_with("/library/")) {
        return "rustc, commit " + std::string(commit);
      }
    }
  }
  return {};
}

// Crates of a registry by the paths of their sources in panic messages,
// ".cargo/registry/src/<index>/<name>-<version>/src/lib.rs". Crates that cannot panic are missed.
std::vector<Module> find_crates(const elf::File& file) {
  constexpr std::string_view kPrefix = "/registry/src/";
  constexpr std::size_t kMaxCrates = 2000, kLongest = 256;
  std::set<std::pair<std::string, std::string>> found;
  for (const elf::Segment& s : file.segments()) {
    if (s.type != elf::kSegmentLoad) continue;
    const auto text = as_text(file.bytes().subspan(s.offset, s.filesz));
    for (auto at = text.find(kPrefix); at != std::string_view::npos && found.size() < kMaxCrates;
         at = text.find(kPrefix, at + 1)) {
      std::string_view rest = text.substr(at + kPrefix.size(), kLongest);
      rest.remove_prefix(std::min(rest.find('/'), rest.size() - 1) + 1);  // the registry's index
      const std::string_view crate = rest.substr(0, rest.find('/'));
      // The version begins behind the first "-" that a digit follows: "quick-xml-0.31.0".
      std::size_t dash = crate.find('-');
      while (dash + 1 < crate.size() && (crate[dash + 1] < '0' || crate[dash + 1] > '9')) {
        dash = crate.find('-', dash + 1);
        if (dash == std::string_view::npos) break;
      }
      if (dash == std::string_view::npos || dash == 0 || dash + 1 >= crate.size()) continue;
      const auto is_plain = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '_' || c == '.' || c == '+';
      };
      if (!std::all_of(crate.begin(), crate.end(), is_plain)) continue;
      found.emplace(crate.substr(0, dash), crate.substr(dash + 1));
    }
  }
  std::vector<Module> crates;
  for (const auto& [name, version] : found) crates.push_back({name, version, "", ""});
  return crates;
}

// The C compiler among the signatures: linkers and assemblers sign too.
std::string find_c_compiler(const std::vector<std::string>& comments) {
  for (const std::string& comment : comments) {
    if (comment.starts_with("GCC:") || comment.find("clang version") != std::string::npos) {
      return comment;
    }
  }
  return {};
}

}  // namespace

Toolchain detect_toolchain(const elf::File& file, const std::string& interpreter,
                           const std::vector<std::string>& needed) {
  Toolchain toolchain;
  toolchain.libc = find_libc(file, interpreter, needed);
  if (auto info = read_go_build_info(file)) {
    toolchain.language = "Go";
    toolchain.compiler = std::move(info->version);
    toolchain.main_package = std::move(info->main_package);
    toolchain.modules = std::move(info->modules);
    toolchain.settings = std::move(info->settings);
    return toolchain;
  }
  if (is_go_program(file)) {
    toolchain.language = "Go";
    toolchain.compiler = find_go_version(file);
    return toolchain;
  }
  const std::vector<std::string> comments = read_comments(file);
  if (std::string compiler = find_rust_compiler(file, comments); !compiler.empty()) {
    toolchain.language = "Rust";
    toolchain.compiler = std::move(compiler);
    toolchain.modules = find_crates(file);
    return toolchain;
  }
  toolchain.compiler = find_c_compiler(comments);
  if (!toolchain.compiler.empty() || !toolchain.libc.empty()) toolchain.language = "C/C++";
  return toolchain;
}

}  // namespace whittle::analyzer
