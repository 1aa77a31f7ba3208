// SPDX-License-Identifier: MIT
//
// Puts a report together: the verdict and everything that decides something comes from our own
// reader; LIEF adds what only it reads, and wherever the two say different things about the same
// field, the report says so. A LIEF that dies costs a warning, not the report.
#include <fmt/format.h>

#include <algorithm>

#include "analyzer/analyzer.h"
#include "analyzer/hardening.h"
#include "analyzer/lief_reader.h"
#include "analyzer/linkage.h"
#include "analyzer/names.h"
#include "analyzer/needs.h"
#include "analyzer/symbols.h"
#include "analyzer/toolchain.h"
#include "analyzer/verdict.h"
#include "common/digest.h"
#include "common/extent.h"
#include "common/foreign_packer.h"
#include "common/text.h"

namespace whittle::analyzer {
namespace {

void describe_non_elf(ByteView bytes, BinaryReport& report) {
  const std::string_view text = as_text(bytes);
  if (text.starts_with("#!")) {
    constexpr std::size_t kLongestLine = 256;  // Linux's BINPRM_BUF_SIZE
    const std::string_view line = text.substr(0, kLongestLine);
    report.kind = Kind::script;
    report.reasons = {{"script/interpreter", "is a script: its first line is " +
                                                 printable(line.substr(0, line.find('\n')))}};
    return;
  }
  report.kind = Kind::not_elf;
  if (bytes.empty()) {
    report.reasons = {{"not-elf/empty", "is empty"}};
  } else {
    const ByteView start = bytes.first(std::min<std::size_t>(bytes.size(), 4));
    report.reasons = {{"not-elf/magic", fmt::format("is not an ELF file: begins with {}, not "
                                                    "7f454c46",
                                                    to_hex(start))}};
  }
}

void describe_segments(const elf::File& file, BinaryReport& report) {
  for (const elf::Segment& s : file.segments()) {
    report.segments.push_back({.type = segment_type_name(s.type),
                               .flags = segment_flags_name(s.flags),
                               .offset = s.offset,
                               .vaddr = s.vaddr,
                               .file_size = s.filesz,
                               .memory_size = s.memsz,
                               .alignment = s.align});
  }
}

void describe_sections(const elf::File& file, BinaryReport& report) {
  for (const elf::Section& s : file.sections()) {
    report.sections.push_back({.name = printable(s.name),
                               .type = fmt::format("{:#x}", s.type),
                               .address = s.addr,
                               .offset = s.offset,
                               .size = s.size});
    if (s.type == elf::kSectionSymTab) report.stripped = false;
  }
}

void describe_notes(const elf::File& file, BinaryReport& report) {
  constexpr std::size_t kLongestId = 1024;  // bytes
  for (const elf::Note& note : file.notes()) {
    const ByteView id = note.descriptor.first(std::min(note.descriptor.size(), kLongestId));
    if (note.owner == "GNU" && note.type == elf::kNoteGnuBuildId && report.build_id.empty()) {
      report.build_id = to_hex(id);
    }
    if (note.owner == "Go" && note.type == elf::kNoteGoBuildId && report.go_build_id.empty()) {
      report.go_build_id = printable(as_text(id));
    }
  }
}

// What takes more than the headers to tell.
void describe_contents(const elf::File& file, BinaryReport& report) {
  report.overlay = elf::measure_extent(file).overlay;
  if (const auto packer = find_foreign_packer(file)) {
    report.packing = Packing{.packer = packer->name, .version = packer->version};
  }
  report.toolchain = detect_toolchain(file, report.interpreter, report.needed, report.warnings);
  if (!is_static(report.kind) && report.kind != Kind::dynamic_executable &&
      report.kind != Kind::shared_object) {
    return;
  }
  const std::vector<Symbol> symbols = read_symbols(file);
  const std::vector<Symbol> dynamic_symbols = read_dynamic_symbols(file);
  report.hardening = find_hardening({.file = file,
                                     .kind = report.kind,
                                     .toolchain = report.toolchain,
                                     .symbols = symbols,
                                     .dynamic_symbols = dynamic_symbols});
  if (report.kind == Kind::shared_object) {
    report.linkage = read_version_needs(file, dynamic_symbols);
    return;
  }
  std::optional<GoFunctionTable> go;
  if (report.toolchain.language == "Go") go = read_go_functions(file);
  report.needs = find_needs({.file = file,
                             .toolchain = report.toolchain,
                             .dynamic = report.kind == Kind::dynamic_executable,
                             .go_functions = go ? &*go : nullptr,
                             .symbols = symbols,
                             .dynamic_symbols = dynamic_symbols});
  if (report.kind == Kind::dynamic_executable) {
    report.linkage = describe_linkage(file, report, go ? &*go : nullptr, dynamic_symbols);
  }
}

template <typename T>
void compare(std::string_view what, const T& ours, const T& theirs, BinaryReport& report) {
  if (ours == theirs) return;
  report.warnings.push_back(fmt::format(
      "LIEF reads another {} than the program headers say: {}, not {}", what, theirs, ours));
}

std::string join(const std::vector<std::string>& names) {
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

void add_lief(const elf::File& file, BinaryReport& report) {
  const LiefAnswer answer = read_with_lief(file.bytes());
  if (!answer.summary) {
    report.warnings.push_back(
        "LIEF " + answer.problem +
        "; symbols and types of sections are missing, the verdict does not depend on them");
    return;
  }
  const LiefSummary& lief = *answer.summary;
  const elf::Header& header = file.header();
  std::vector<std::string> needed;
  for (const std::string& library : lief.needed) needed.push_back(printable(library));
  compare<std::uint64_t>("machine", header.machine, lief.machine, report);
  compare<std::uint64_t>("class", header.is_64bit ? 64 : 32, lief.bits, report);
  compare<std::uint64_t>("type", header.type, lief.type, report);
  compare<std::uint64_t>("entry point", header.entry, lief.entry, report);
  compare<std::uint64_t>("number of segments", file.segments().size(), lief.segments, report);
  compare<std::uint64_t>("number of sections", file.sections().size(), lief.sections.size(),
                         report);
  compare("interpreter", report.interpreter, printable(lief.interpreter), report);
  compare("list of needed libraries", join(report.needed), join(needed), report);

  report.symbols = lief.symbols + lief.dynamic_symbols;
  if (lief.sections.size() == report.sections.size()) {
    for (std::size_t i = 0; i < lief.sections.size(); i++) {
      report.sections[i].type = printable(lief.sections[i].type);
    }
  }
}

}  // namespace

BinaryReport inspect(ByteView bytes, std::string_view path, const InspectOptions& options) {
  BinaryReport report;
  report.path = path;
  report.size = bytes.size();
  if (options.digests) report.sha256 = to_hex(sha256(bytes));
  if (!elf::has_magic(bytes)) {
    describe_non_elf(bytes, report);
    return report;
  }
  const elf::File file = elf::File::parse(bytes, path);
  const elf::System system =
      elf::system_of(file, options.contents ? elf::LookFor::marks_inside : elf::LookFor::marks);
  Verdict verdict = judge(file, system);
  report.kind = verdict.kind;
  report.reasons = std::move(verdict.reasons);
  report.interpreter = std::move(verdict.interpreter);
  report.needed = std::move(verdict.needed);
  report.warnings = std::move(verdict.warnings);

  const elf::Header& header = file.header();
  report.machine = elf::machine_name(header);
  report.bits = header.is_64bit ? 64 : 32;
  report.byte_order = header.order == ByteOrder::little ? "little" : "big";
  report.sections_readable = file.section_problem().empty();
  report.system = system.name;
  report.system_reason = system.reason;
  report.entry = header.entry;
  describe_segments(file, report);
  describe_sections(file, report);
  describe_notes(file, report);
  report.has_contents = options.contents;
  if (options.contents) describe_contents(file, report);
  if (!system.is_known && report.toolchain.libc == "musl") {
    report.system_reason = "its C library is musl, which is for Linux";
  }
  if (options.symbols) add_lief(file, report);
  return report;
}

}  // namespace whittle::analyzer
