// SPDX-License-Identifier: MIT
#include "report/inspect_report.h"

#include <fmt/format.h>

#include <utility>

#include "analyzer/analyzer.h"
#include "common/text.h"
#include "report/binary_json.h"
#include "report/module_groups.h"
#include "report/pack_report.h"
#include "report/refusal_json.h"
#include "report/text_table.h"

namespace whittle::report {
namespace {

std::string bytes_and_size(std::uint64_t bytes) {
  if (bytes < 1024) return count(bytes, "byte");
  return fmt::format("{} ({})", count(bytes, "byte"), human_size(bytes));
}

// Two columns: a word, and what it is. Empty values are left out.
class FactTable {
 public:
  void add(std::string_view word, std::string_view value) {
    if (!value.empty()) table_.add_row({std::string(word), printable(value)});
  }
  // One value a line, the word before the first.
  void add(std::string_view word, const std::vector<std::string>& values) {
    for (const std::string& value : values) add(std::exchange(word, ""), value);
  }
  std::string text() const { return table_.text("  "); }

 private:
  TextTable table_{{Align::left, Align::left}};
};

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    if (!out.empty()) out += ", ";
    out += part;
  }
  return out;
}

void add_modules(const analyzer::Toolchain& toolchain, FactTable& facts) {
  const std::vector<analyzer::Module>& modules = toolchain.modules;
  if (modules.empty()) return;
  if (toolchain.language == "Rust") {
    for (const ModuleGroup& group : module_groups(toolchain)) {
      facts.add("made of", group.title + ':');
      facts.add("", group.names);
    }
    return;
  }
  const analyzer::Module& main = modules.front();
  facts.add("main module", main.version.empty() ? main.path : main.path + '@' + main.version);
  facts.add("needs", count(modules.size() - 1, "module"));
}

std::string segment_table(const std::vector<analyzer::SegmentInfo>& segments) {
  TextTable table({Align::left, Align::left, Align::right, Align::right, Align::right, Align::right,
                   Align::right});
  table.add_row({"segment", "flags", "offset", "address", "in file", "in memory", "alignment"});
  for (const analyzer::SegmentInfo& segment : segments) {
    table.add_row({printable(segment.type), printable(segment.flags),
                   fmt::format("{:#x}", segment.offset), fmt::format("{:#x}", segment.vaddr),
                   group_digits(segment.file_size), group_digits(segment.memory_size),
                   fmt::format("{:#x}", segment.alignment)});
  }
  return table.text("  ");
}

// What a stream holds: "segment r-x, x86-64 code".
std::string content(const packer::StreamInfo& stream) {
  return joined({stream.holds.empty() ? stream.name : stream.holds, stream.transform});
}

// The pieces of a packed file, one a row. The sizes in the column "packed" add up to the file.
class PieceTable {
 public:
  PieceTable(const packer::PackInfo& packed, Streams streams)
      : file_size_(packed.packed_size), with_codec_(streams == Streams::each) {
    std::vector<Align> columns(with_codec_ ? 7 : 6, Align::right);
    columns.front() = Align::left;
    if (with_codec_) columns[1] = Align::left;
    table_ = TextTable(std::move(columns));
    row({"", "codec", "address", "bytes", "packed", "", "of the file"});
  }
  void add(const std::string& what, std::uint64_t packed) {
    row({what, "", "-", "-", group_digits(packed), "", percent(packed, file_size_)});
  }
  void add(const std::string& what, const packer::StreamInfo& stream, std::uint64_t raw,
           std::uint64_t packed) {
    row({printable(what), printable(stream.codec),
         stream.address == 0 ? "-" : fmt::format("{:#x}", stream.address), group_digits(raw),
         group_digits(packed), percent(packed, raw), percent(packed, file_size_)});
  }
  std::string text() const { return table_.text("  "); }

 private:
  void row(std::vector<std::string> cells) {
    if (!with_codec_) cells.erase(cells.begin() + 1);
    table_.add_row(std::move(cells));
  }
  std::uint64_t file_size_;
  bool with_codec_;
  TextTable table_{{}};
};

std::string pieces_text(const packer::PackInfo& packed, Streams streams) {
  PieceTable table(packed, streams);
  std::uint64_t in_streams = 0;
  for (const packer::StreamInfo& stream : packed.streams) in_streams += stream.packed_size;
  table.add("headers, notes, tables", packed.packed_size - packed.stub_size - in_streams);
  table.add("stub", packed.stub_size);
  std::uint64_t region = 0;  // packed bytes of the parts so far
  for (const packer::StreamInfo& stream : packed.streams) {
    if (stream.part_count == 0) {
      table.add(content(stream), stream, stream.raw_size, stream.packed_size);
    } else if (streams == Streams::each) {
      table.add(fmt::format("{}, part {} of {}", content(stream), stream.part, stream.part_count),
                stream, stream.raw_size, stream.packed_size);
    } else {
      region = stream.part == 1 ? stream.packed_size : region + stream.packed_size;
      if (stream.part != stream.part_count) continue;
      table.add(fmt::format("{}, {}", content(stream), count(stream.part_count, "part")), stream,
                stream.region_size, region);
    }
  }
  return table.text();
}

// One line a table and a line for its reason, however long: a table of columns would be wider than
// a terminal.
std::string plain_tables_text(const std::vector<packer::PlainTable>& tables) {
  if (tables.empty()) return "";
  std::string out = "\n  stored as plain bytes:\n";
  for (const packer::PlainTable& table : tables) {
    out +=
        fmt::format("  {} at {:#x}{}\n    {}\n", printable(table.what), table.address,
                    table.size == 0 ? "" : ", " + count(table.size, "byte"), printable(table.why));
  }
  return out;
}

std::string packed_text(const packer::PackInfo& packed, Streams streams) {
  FactTable facts;
  facts.add("packed by", fmt::format("whittle {}, format {}, level {}", packed.packer_version,
                                     packed.format_version, packed.level));
  facts.add("packed size",
            fmt::format("{}, {} of the program inside", bytes_and_size(packed.packed_size),
                        percent(packed.packed_size, packed.original_size)));
  facts.add("stub", count(packed.stub_size, "byte"));
  facts.add("to start", start_memory_text(packed.start_memory));
  facts.add("inside", bytes_and_size(packed.original_size));
  facts.add("SHA-256", packed.original_sha256);
  if (!packed.source_sha256.empty() && packed.source_sha256 != packed.original_sha256) {
    facts.add("stripped from", bytes_and_size(packed.source_size));
    facts.add("its SHA-256", packed.source_sha256);
  }
  return facts.text() + '\n' + pieces_text(packed, streams);
}

Json plain_tables_json(const std::optional<std::vector<packer::PlainTable>>& tables) {
  if (!tables) return nullptr;
  Json list = Json::array();
  for (const packer::PlainTable& table : *tables) {
    list.push_back({{"what", table.what},
                    {"address", table.address},
                    {"bytes", table.size},
                    {"why", table.why}});
  }
  return list;
}

Json packed_json(const packer::PackInfo& packed,
                 const std::optional<std::vector<packer::PlainTable>>& plain_tables) {
  Json streams = Json::array();
  for (const packer::StreamInfo& stream : packed.streams) {
    streams.push_back({{"name", stream.name},
                       {"address", stream.address},
                       {"raw_bytes", stream.raw_size},
                       {"packed_bytes", stream.packed_size},
                       {"holds", stream.holds},
                       {"codec", stream.codec},
                       {"transform", stream.transform},
                       {"part", stream.part},
                       {"part_count", stream.part_count},
                       {"region_bytes", stream.region_size}});
  }
  return {{"format_version", packed.format_version},
          {"packer_version", packed.packer_version},
          {"machine", packed.machine},
          {"level", packed.level},
          {"packed_bytes", packed.packed_size},
          {"original_bytes", packed.original_size},
          {"stub_bytes", packed.stub_size},
          {"scratch_bytes", packed.scratch_size},
          {"start_memory_bytes", packed.start_memory},
          {"original_sha256", packed.original_sha256},
          {"source_bytes", packed.source_size},
          {"source_sha256", packed.source_sha256},
          {"streams", std::move(streams)},
          {"plain_tables", plain_tables_json(plain_tables)}};
}

}  // namespace

std::string inspect_text(const analyzer::BinaryReport& binary,
                         const std::optional<packer::PackInfo>& packed,
                         const std::optional<packer::Packability>& packability, Streams streams,
                         const std::optional<std::vector<packer::PlainTable>>& plain_tables) {
  FactTable facts;
  facts.add("kind", analyzer::name(binary.kind));
  std::vector<std::string> reasons;
  for (const analyzer::Reason& reason : binary.reasons) reasons.push_back(reason.text);
  facts.add("because it", reasons);
  facts.add("size", bytes_and_size(binary.size));
  if (!binary.machine.empty()) {
    const analyzer::Toolchain& toolchain = binary.toolchain;
    facts.add("machine", fmt::format("{}, {} bits, {}-endian", binary.machine, binary.bits,
                                     binary.byte_order));
    if (!binary.system.empty()) {
      facts.add("system", fmt::format("{} ({})", binary.system, binary.system_reason));
    }
    facts.add("entry", fmt::format("{:#x}", binary.entry));
    facts.add("interpreter", binary.interpreter);
    facts.add("libraries", binary.needed);
    facts.add("toolchain", joined({toolchain.language, toolchain.compiler, toolchain.libc}));
    facts.add("main package", toolchain.main_package);
    add_modules(toolchain, facts);
    facts.add("notes", toolchain.notes);
    facts.add("build ID", binary.build_id);
    facts.add("Go build ID", binary.go_build_id);
    facts.add("symbols", binary.stripped ? "none (stripped)" : group_digits(binary.symbols));
    facts.add("sections", group_digits(binary.sections.size()));
    if (binary.overlay > 0) {
      facts.add("overlay", bytes_and_size(binary.overlay) + " after the end of the program");
    }
  }
  if (packability) {
    const std::optional<packer::Refusal>& refusal = packability->refusal;
    facts.add("packing", refusal ? fmt::format("refused: {} [{}]", refusal->reason, refusal->code)
                                 : "possible");
    facts.add("when packed", packability->warnings);
  }
  std::vector<std::string> needs;
  for (const analyzer::Need& need : binary.needs) {
    needs.push_back(
        fmt::format("{} ({}): without it, {}", need.title, need.confidence, need.breaks));
  }
  facts.add("may need", needs);
  facts.add("warning", binary.warnings);
  std::string out = printable(binary.path) + "\n\n" + facts.text();
  if (!binary.segments.empty()) out += '\n' + segment_table(binary.segments);
  if (packed) out += '\n' + packed_text(*packed, streams);
  if (plain_tables) out += plain_tables_text(*plain_tables);
  return out;
}

std::string inspect_json(const analyzer::BinaryReport& binary,
                         const std::optional<packer::PackInfo>& packed,
                         const std::optional<packer::Packability>& packability,
                         const std::optional<std::vector<packer::PlainTable>>& plain_tables) {
  Json packable = nullptr;
  if (packability) {
    packable = {{"ok", !packability->refusal},
                {"refusal", refusal_json(packability->refusal)},
                {"warnings", packability->warnings}};
  }
  return dump({{"schema", "whittle.inspect/1"},
               {"path", binary.path},
               {"binary", detail_json(binary)},
               {"packed", packed ? packed_json(*packed, plain_tables) : Json(nullptr)},
               {"packable", std::move(packable)}});
}

}  // namespace whittle::report
