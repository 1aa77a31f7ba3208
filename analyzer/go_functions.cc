// SPDX-License-Identifier: MIT
#include "analyzer/go_functions.h"

#include <algorithm>

#include "common/error.h"

namespace whittle::analyzer {
namespace {

constexpr std::uint32_t kMagic12 = 0xfffffffb, kMagic116 = 0xfffffffa, kMagic118 = 0xfffffff0,
                        kMagic120 = 0xfffffff1;
constexpr std::uint64_t kMaxFunctions = 2'000'000;
constexpr std::size_t kMaxName = 4096;  // names may share bytes: bounds the time for all of them

// The header: magic, two zero bytes, the instruction quantum, the size of a pointer.
bool is_table(const ByteReader& reader, std::uint64_t at, std::uint8_t word) {
  if (!in_bounds(at, 8, reader.size())) return false;
  const std::uint32_t magic = reader.u32(at, "a function table's magic");
  if (magic != kMagic12 && magic != kMagic116 && magic != kMagic118 && magic != kMagic120) {
    return false;
  }
  const ByteView rest = reader.slice(at + 4, 4, "a function table's header");
  const bool quantum = rest[2] == 1 || rest[2] == 2 || rest[2] == 4;
  return rest[0] == 0 && rest[1] == 0 && quantum && rest[3] == word;
}

std::uint8_t word_of(const elf::File& file) { return file.header().is_64bit ? 8 : 4; }

// A table by its section, or by looking for its header, which is aligned to 16 bytes.
std::optional<ByteView> find_table(const elf::File& file) {
  const ByteReader reader(file.bytes(), file.header().order, file.path());
  for (const std::string_view name : {".gopclntab", ".data.rel.ro.gopclntab"}) {
    const elf::Section* section = file.find_section(name);
    if (section != nullptr && section->has_bytes() &&
        is_table(reader, section->offset, word_of(file))) {
      return file.bytes().subspan(section->offset, section->size);
    }
  }
  constexpr std::uint64_t kAlignment = 16;
  for (const elf::Segment& s : file.segments()) {
    if (s.type != elf::kSegmentLoad) continue;
    for (std::uint64_t at = (kAlignment - s.vaddr % kAlignment) % kAlignment;
         in_bounds(at, 8, s.filesz); at += kAlignment) {
      if (is_table(reader, s.offset + at, word_of(file))) {
        return file.bytes().subspan(s.offset + at, s.filesz - at);
      }
    }
  }
  return std::nullopt;
}

// Where the code begins: since Go 1.26 the table does not say.
std::uint64_t code_start(const elf::File& file) {
  if (const elf::Section* text = file.find_section(".text")) return text->addr;
  constexpr std::uint64_t kHeaders = 0x1000;  // what Go's linker leaves for them in the segment
  for (const elf::Segment& s : file.segments()) {
    if (s.type == elf::kSegmentLoad && (s.flags & elf::kFlagExecute) != 0) {
      return s.vaddr + (s.offset == 0 ? kHeaders : 0);
    }
  }
  return 0;
}

class Parser {
 public:
  Parser(const elf::File& file, ByteView table)
      : file_(file), table_(table), reader_(table, file.header().order, file.path()) {
    at_.word = word_of(file);
  }

  GoFunctionTable parse() {
    GoFunctionTable out;
    out.offset = static_cast<std::uint64_t>(table_.data() - file_.bytes().data());
    out.size = table_.size();
    read_header();
    out.layout = at_;
    out.names_offset = out.offset + at_.names;
    out.names = as_text(reader_.slice(at_.names, names_end_ - at_.names, "function names"));
    if (count_ > kMaxFunctions || count_ > table_.size() / (2 * at_.field)) {
      throw Error(ErrorKind::malformed, file_.path(), "more Go functions than the table can hold",
                  out.offset);
    }
    out.functions.reserve(count_);
    for (std::uint64_t i = 0; i < count_; i++) out.functions.push_back(function(i));
    return out;
  }

 private:
  std::uint64_t number(std::uint64_t at, std::uint64_t size) const {
    return size == 8 ? reader_.u64(at, "a word") : reader_.u32(at, "a word");
  }
  std::uint64_t header_word(std::uint64_t index) const {
    return number(8 + index * at_.word, at_.word);
  }

  void read_header() {
    const std::uint32_t magic = reader_.u32(0, "the magic");
    count_ = header_word(0);
    if (magic == kMagic12) {
      // Functions, one address that ends the last, then files; the names stand among the rest.
      at_.functions = 8 + at_.word;
      at_.field = at_.word;
      names_end_ = table_.size();
      return;
    }
    const bool distances = magic != kMagic116;
    std::uint64_t next = 2;
    if (distances) start_ = header_word(next++);
    if (distances && start_ == 0) start_ = code_start(file_);
    at_.has_parts = true;
    at_.names = header_word(next);
    at_.units = names_end_ = header_word(next + 1);
    at_.files = header_word(next + 2);
    at_.pcs = header_word(next + 3);
    at_.functions = records_ = header_word(next + 4);
    at_.field = distances ? 4 : at_.word;
    // Behind the address: eight numbers, since 1.20 a ninth, and four bytes.
    at_.record = at_.field + (magic == kMagic120 ? 40 : 36);
    at_.may_hold_data = magic == kMagic120;
    at_.record_data = distances ? 4 : at_.word;
    const std::uint64_t parts[] = {at_.names, at_.units,     at_.files,
                                   at_.pcs,   at_.functions, table_.size()};
    if (!std::is_sorted(std::begin(parts), std::end(parts))) {
      throw Error(ErrorKind::malformed, file_.path(), "Go's function table is damaged", 0);
    }
  }

  std::uint64_t entry(std::uint64_t index) const {
    return number(at_.functions + index * at_.field, at_.field);
  }

  GoFunction function(std::uint64_t index) const {
    GoFunction out;
    const std::uint64_t from = entry(2 * index), to = entry(2 * index + 2);
    out.address = start_ + from;
    out.size = to > from ? to - from : 0;
    out.record = records_ + entry(2 * index + 1);
    const std::uint64_t name = at_.names + reader_.u32(out.record + at_.field, "a function's name");
    out.has_lines = has_lines(out.record + at_.field);
    if (name < names_end_) {
      const std::string_view rest =
          as_text(table_.first(names_end_).subspan(name)).substr(0, kMaxName);
      out.name = rest.substr(0, rest.find('\0'));
    }
    return out;
  }

  // `fields`: where those of a record begin that follow the address. Tables of values by program
  // counter are told by offsets, of which 0 is none: of stack depth, file and line.
  bool has_lines(std::uint64_t fields) const {
    constexpr std::uint64_t kFirst = 12, kTables = 3;
    for (std::uint64_t i = 0; i < kTables; i++) {
      const std::uint64_t at = fields + kFirst + 4 * i;
      if (in_bounds(at, 4, reader_.size()) && reader_.u32(at, "a pc table") != 0) return true;
    }
    return false;
  }

  const elf::File& file_;
  ByteView table_;
  ByteReader reader_;
  GoTableLayout at_;
  std::uint64_t names_end_ = 0, records_ = 0;  // offsets in the table
  std::uint64_t count_ = 0, start_ = 0;
};

}  // namespace

std::optional<GoFunctionTable> read_go_functions(const elf::File& file) {
  const auto table = find_table(file);
  if (!table) return std::nullopt;
  try {
    return Parser(file, *table).parse();
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool has_go_functions(const elf::File& file) { return find_table(file).has_value(); }

}  // namespace whittle::analyzer
