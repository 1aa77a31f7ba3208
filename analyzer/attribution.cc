// SPDX-License-Identifier: MIT
//
// The invariant is bloaty's: labelled bytes add up to the file. RangeMap enforces it, whatever the
// ranges are: overlapping symbols, sections and segments count once, for the first that came.
//
// Mangled names are not demangled: only their first identifier is wanted, and it stands, with its
// length before it, near the front. Sources: Itanium C++ ABI, 5.1; Rust RFC 2603 (v0 mangling).
#include "analyzer/attribution.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "analyzer/go_functions.h"
#include "analyzer/go_symbols.h"
#include "analyzer/go_table_parts.h"
#include "analyzer/names.h"
#include "analyzer/symbols.h"
#include "analyzer/verdict.h"
#include "common/elf.h"
#include "common/error.h"
#include "common/text.h"

namespace whittle::analyzer {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "<length><identifier>" at the front of `text`; empty where there is none.
std::string_view identifier(std::string_view text) {
  std::size_t length = 0, at = 0;
  while (at < text.size() && is_digit(text[at]) && length < text.size()) {
    length = length * 10 + static_cast<std::size_t>(text[at++] - '0');
  }
  return length == 0 || length > text.size() - at ? std::string_view() : text.substr(at, length);
}

// The first crate root, "C" [ "s" base-62 "_" ] identifier, of a v0 name.
std::string_view crate_of_v0(std::string_view name) {
  for (std::size_t at = name.find('C'); at != std::string_view::npos; at = name.find('C', at + 1)) {
    std::string_view rest = name.substr(at + 1);
    if (rest.starts_with('s')) rest.remove_prefix(std::min(rest.find('_'), rest.size() - 1) + 1);
    if (const std::string_view crate = identifier(rest); !crate.empty()) return crate;
  }
  return {};
}

std::vector<Share> sorted(std::vector<Share> shares) {
  std::sort(shares.begin(), shares.end(), [](const Share& a, const Share& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.name < b.name;
  });
  return shares;
}

std::vector<Share> by_segment(const elf::File& file) {
  RangeMap map(file.bytes().size());
  std::size_t number = 0;
  for (const elf::Segment& s : file.segments()) {
    if (s.type != elf::kSegmentLoad) continue;
    map.add(s.offset, s.filesz, fmt::format("LOAD {} {}", number++, segment_flags_name(s.flags)));
  }
  return map.shares("[not loaded]");
}

void add_sections(const elf::File& file, RangeMap& map, std::string_view form) {
  const elf::Header& header = file.header();
  for (const elf::Section& s : file.sections()) {
    const std::string name = s.name.empty() ? "(no name)" : printable(s.name);
    if (s.has_bytes()) map.add(s.offset, s.size, fmt::format(fmt::runtime(form), name));
  }
  map.add(0, header.ehsize, "[ELF header]");
  map.add(header.phoff, std::uint64_t{header.phnum} * header.phentsize, "[program headers]");
  map.add(header.shoff, std::uint64_t{header.shnum} * header.shentsize, "[section headers]");
}

class Owners {
 public:
  explicit Owners(const elf::File& file) : file_(file), map_(file.bytes().size()) {}

  void run(Attribution& out) {
    const auto go = read_go_functions(file_);
    if (go) add_go(*go);
    const std::vector<Symbol> symbols = read_symbols(file_);
    const std::vector<bool> is_go = find_go_symbols(symbols, go.has_value());
    for (std::size_t i = 0; i < symbols.size(); i++) {
      const Symbol& symbol = symbols[i];
      if (!symbol.defined || symbol.size == 0 ||
          (symbol.type != kSymbolFunction && symbol.type != kSymbolObject)) {
        continue;
      }
      add(symbol.name, is_go[i] ? go_package_of(symbol.name) : owner_of_symbol(symbol.name),
          symbol.value, symbol.size);
    }
    add_sections(file_, map_, "[{}]");
    out.owners = map_.shares("[between sections]");
    out.functions = largest();
  }

 private:
  void add_go(const GoFunctionTable& go) {
    std::unordered_set<std::string_view> in_c;
    for (const GoFunction& f : go.functions) {
      if (!f.has_lines && is_c_name(f.name)) in_c.insert(f.name);
    }
    const auto owner = [&](std::string_view name) {
      return in_c.contains(name) ? owner_of_symbol(name) : go_package_of(name);
    };
    for (const GoFunction& f : go.functions) add(f.name, owner(f.name), f.address, f.size);
    const std::uint64_t end = for_each_go_table_part(
        file_, go, [&](std::uint64_t offset, std::uint64_t size, std::string_view function) {
          map_.add(offset, size, owner(function));
        });
    const bool has_section = file_.find_section(".gopclntab") != nullptr ||
                             file_.find_section(".data.rel.ro.gopclntab") != nullptr;
    map_.add(go.offset, has_section ? go.size : end - go.offset, "[Go function table]");
  }

  void add(std::string_view name, const std::string& owner, std::uint64_t address,
           std::uint64_t size) {
    const auto offset = file_.offset_of(address);
    if (!offset) return;  // of zero-initialised memory, which takes no place in the file
    const std::uint64_t bytes = map_.add(*offset, size, owner);
    if (bytes > 0) functions_.push_back({name, bytes});
  }

  std::vector<Share> largest() {
    constexpr std::size_t kMost = 1000, kLongestName = 512;
    const std::size_t count = std::min(kMost, functions_.size());
    const auto middle = functions_.begin() + static_cast<std::ptrdiff_t>(count);
    std::partial_sort(functions_.begin(), middle, functions_.end(),
                      [](const Function& a, const Function& b) {
                        return a.bytes != b.bytes ? a.bytes > b.bytes : a.name < b.name;
                      });
    std::vector<Share> out;
    for (std::size_t i = 0; i < count; i++) {
      out.push_back({printable(functions_[i].name.substr(0, kLongestName)), functions_[i].bytes});
    }
    return out;
  }

  struct Function {
    std::string_view name;  // into the file's bytes
    std::uint64_t bytes;
  };

  const elf::File& file_;
  RangeMap map_;
  std::vector<Function> functions_;
};

}  // namespace

std::string owner_of_symbol(std::string_view symbol) {
  if (symbol.starts_with("_R")) {
    const std::string_view crate = crate_of_v0(symbol.substr(2));
    return crate.empty() ? "[Rust]" : printable(crate);
  }
  if (!symbol.starts_with("_Z")) return "C";
  std::string_view rest = symbol.substr(2);
  // Tables and thunks of a class: _ZTVN…, _ZTSN…; guards: _ZGVZ…; then nesting and qualifiers.
  while (!rest.empty() && !is_digit(rest.front())) {
    if (rest.starts_with("St") || rest.starts_with("Sa") || rest.starts_with("Ss") ||
        rest.starts_with("Si") || rest.starts_with("So") || rest.starts_with("Sd")) {
      return "std";
    }
    rest.remove_prefix(1);
  }
  std::string_view name = identifier(rest);
  // Rust's older names write "<std::io::Stdout as …>" as "_$LT$std..io..Stdout$u20$as…".
  for (const std::string_view mark : {"_$LT$", "$LT$", "$RF$", "$BP$", "mut$u20$"}) {
    if (name.starts_with(mark)) name.remove_prefix(mark.size());
  }
  name = name.substr(0, std::min(name.find(".."), name.find('$')));
  return name.empty() ? "[C++]" : printable(name);
}

// Names in a hostile file may be millions and long.
constexpr std::size_t kMaxLabels = 100'000, kMaxLabel = 256;

std::uint64_t RangeMap::add(std::uint64_t offset, std::uint64_t length, const std::string& label) {
  if (offset >= size_) return 0;
  const std::uint64_t end = offset + std::min(length, size_ - offset);
  std::uint64_t at = offset, added = 0;
  auto next = taken_.upper_bound(at);
  if (next != taken_.begin() && std::prev(next)->second > at) at = std::prev(next)->second;
  while (at < end) {
    const std::uint64_t stop = next == taken_.end() ? end : std::min(end, next->first);
    if (stop > at) added += stop - at;
    if (next == taken_.end() || next->first >= end) break;
    at = next->second;
    ++next;
  }
  if (added == 0) return 0;
  // The range and all that it touches become one.
  std::uint64_t begin = offset, last = end;
  auto first = taken_.lower_bound(offset);
  if (first != taken_.begin() && std::prev(first)->second >= offset) --first;
  while (first != taken_.end() && first->first <= end) {
    begin = std::min(begin, first->first);
    last = std::max(last, first->second);
    first = taken_.erase(first);
  }
  taken_.emplace(begin, last);
  labelled_ += added;
  const auto known = bytes_.find(label);
  if (known != bytes_.end()) {
    known->second += added;
  } else {
    bytes_[bytes_.size() < kMaxLabels ? label.substr(0, kMaxLabel) : "[others]"] += added;
  }
  return added;
}

std::vector<Share> RangeMap::shares(const std::string& rest) const {
  std::vector<Share> out;
  for (const auto& [label, bytes] : bytes_) out.push_back({label, bytes});
  if (labelled_ < size_) out.push_back({rest, size_ - labelled_});
  return sorted(std::move(out));
}

Attribution attribute(ByteView bytes, std::string_view path) {
  if (!elf::has_magic(bytes)) {
    throw Error(ErrorKind::refused, path,
                "is not an ELF file: nothing says what its bytes belong to");
  }
  const elf::File file = elf::File::parse(bytes, path);
  require_searchable(file);
  Attribution out;
  out.size = bytes.size();
  out.segments = by_segment(file);
  RangeMap sections(bytes.size());
  add_sections(file, sections, "{}");
  out.sections = sections.shares("[between sections]");
  Owners(file).run(out);
  return out;
}

}  // namespace whittle::analyzer
