// SPDX-License-Identifier: MIT
//
// Who made this program? Compilers sign their work in notes (see compiler_notes.h), which stripping
// may take away, so every language also has a sign that stays:
//
//   Go    build information in the data, see go_buildinfo.cc
//   Rust  paths of the standard library in panic messages: /rustc/<commit>/library/…; a list of
//         crates, see crates.h
//   glibc the note GNU/ABI-tag that its start-up code carries; sections __libc_* before stripping
//   musl  two neighbours of its table of error messages
//
// A Go program that calls C has both: the language is that of the outer one, the C library is told
// besides. EI_OSABI "GNU" alone only says that some GNU extension is used, so it comes last.
#include "analyzer/toolchain.h"

#include <algorithm>
#include <set>

#include "analyzer/compiler_notes.h"
#include "analyzer/crates.h"
#include "analyzer/go_buildinfo.h"
#include "common/error.h"
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

// The C compiler among the signatures: linkers and assemblers sign too.
std::string find_c_compiler(const std::vector<std::string>& comments) {
  for (const std::string& comment : comments) {
    if (comment.starts_with("GCC:") || comment.find("clang version") != std::string::npos) {
      return comment;
    }
  }
  return {};
}

// The crates in the list, then those that are in no list because the standard library brings them
// along.
std::vector<Module> find_crates(const elf::File& file, std::vector<std::string>& warnings) {
  std::vector<Module> crates;
  try {
    crates = read_crate_list(file);
  } catch (const Error& error) {
    warnings.push_back(error.message());
  }
  std::set<std::pair<std::string, std::string>> listed;
  for (const Module& crate : crates) listed.emplace(crate.path, crate.version);
  for (Module& crate : find_crates_by_paths(file)) {
    if (!listed.contains({crate.path, crate.version})) crates.push_back(std::move(crate));
  }
  return crates;
}

}  // namespace

Toolchain detect_toolchain(const elf::File& file, const std::string& interpreter,
                           const std::vector<std::string>& needed,
                           std::vector<std::string>& warnings) {
  Toolchain toolchain;
  toolchain.libc = find_libc(file, interpreter, needed);
  toolchain.notes = read_compiler_notes(file);
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
  toolchain.compiler = find_rust_compiler(file, toolchain.notes);
  if (!toolchain.compiler.empty() || has_crate_list(file)) {
    toolchain.language = "Rust";
    toolchain.modules = find_crates(file, warnings);
    return toolchain;
  }
  toolchain.compiler = find_c_compiler(toolchain.notes);
  if (!toolchain.compiler.empty() || !toolchain.libc.empty()) toolchain.language = "C/C++";
  return toolchain;
}

}  // namespace whittle::analyzer
